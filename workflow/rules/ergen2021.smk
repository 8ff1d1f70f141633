# Ergen & Pilanci (2021): exact convex programs of convolutional networks. Synthetic instances are
# drawn inside the steps. A table that ends with _timing holds seconds: it is drawn, never judged.

# The architectures whose optimal networks are stored as filters and weights.
POOLED = [case for case in config["ergen2021"]["train_convex"] if case != "common"]
IMAGES = {split: f"<results>/data/{split}.npy" for split in SPLITS} | {
    "source": "<results>/data/source.json"
}

declare(
    "ergen2021",
    "enumerate_arrangements",
    "Counting the sign patterns exactly",
    output="<results>/ergen2021/arrangements.parquet",
)
declare(
    "ergen2021",
    "time_solver",
    "Work and time to a certified optimum against the number of samples",
    output={
        "work": "<results>/ergen2021/solver_work.parquet",
        "timing": "<results>/ergen2021/solver_timing.parquet",
    },
)
declare(
    "ergen2021",
    "train_logistic",
    "The logistic loss: certified optimum and descent",
    output="<results>/ergen2021/logistic.parquet",
)
declare(
    "ergen2021",
    "train_convex",
    "Training to certified optimality: {wildcards.case}",
    output={
        "table": "<results>/ergen2021/convex_{case}.parquet",
        "networks": "<results>/ergen2021/networks_{case}.parquet",
        "duals": "<results>/ergen2021/duals_{case}.parquet",
    },
)
declare(
    "ergen2021",
    "train_convex_matrix",
    "Training to certified optimality: {wildcards.case}",
    output="<results>/ergen2021/convex_{case}.parquet",
)
declare(
    "ergen2021",
    "train_sgd",
    "Restarts of descent on the same instances: {wildcards.case}",
    input={"convex": "<results>/ergen2021/convex_{case}.parquet"},
    output="<results>/ergen2021/sgd_{case}.parquet",
)
declare(
    "ergen2021",
    "restart_descent",
    "Restarts of descent beside the optimum over many data sets: {wildcards.case}",
    output="<results>/ergen2021/restarts_{case}.parquet",
)
declare(
    "ergen2021",
    "recover_network",
    "Evaluating the networks mapped back from the convex solutions",
    input={
        "networks": expand("<results>/ergen2021/networks_{case}.parquet", case=POOLED),
        "convex": expand("<results>/ergen2021/convex_{case}.parquet", case=POOLED),
    },
    output="<results>/ergen2021/recovered.parquet",
)
declare(
    "ergen2021",
    "certify",
    "Pricing the networks over all cells",
    input={
        "networks": expand("<results>/ergen2021/networks_{case}.parquet", case=POOLED),
        "duals": expand("<results>/ergen2021/duals_{case}.parquet", case=POOLED),
        "convex": expand("<results>/ergen2021/convex_{case}.parquet", case=POOLED),
    },
    output="<results>/ergen2021/certificates.parquet",
)
declare(
    "ergen2021",
    "sweep_widths",
    "End objectives of descent against the number of filters",
    output="<results>/ergen2021/widths.parquet",
)
declare(
    "ergen2021",
    "train_toy",
    "SGD with few, medium and many filters on one instance",
    output={
        "table": "<results>/ergen2021/toy.parquet",
        "timing": "<results>/ergen2021/toy_timing.parquet",
    },
)
declare(
    "ergen2021",
    "trace_path",
    "The path of optimal networks from beta_max down",
    output={
        "path": "<results>/ergen2021/path.parquet",
        "threshold": "<results>/ergen2021/threshold.parquet",
    },
)
declare(
    "ergen2021",
    "sample_gates",
    "The optimum over the cells of sampled gates",
    output="<results>/ergen2021/gates.parquet",
)
declare(
    "ergen2021",
    "relax_program",
    "Leaving out constraints of the convex programs",
    output="<results>/ergen2021/relaxations.parquet",
)
declare(
    "ergen2021",
    "sparsify_spectrum",
    "Frequencies of the circular network's filters",
    output="<results>/ergen2021/spectra.parquet",
)
declare(
    "ergen2021",
    "train_circular",
    "Circular networks beside their program: {wildcards.case}",
    output="<results>/ergen2021/circular_{case}.parquet",
)
declare(
    "ergen2021",
    "learn_spectra",
    "Frequencies of trained circular networks beside their program's",
    output="<results>/ergen2021/learned_spectra.parquet",
)
declare(
    "ergen2021",
    "certify_circular",
    "Certifying circular programs of longer signals",
    output="<results>/ergen2021/circular_certificates.parquet",
)
declare(
    "ergen2021",
    "trace_prices",
    "The price of every direction of a filter of two weights",
    output={
        "prices": "<results>/ergen2021/prices.parquet",
        "directions": "<results>/ergen2021/directions.parquet",
    },
)
declare(
    "ergen2021",
    "sweep_rank",
    "The linear network at m = 1 .. rank",
    output="<results>/ergen2021/nuclear.parquet",
)
declare(
    "ergen2021",
    "train_images",
    "Certified networks on rows of the images",
    input=IMAGES,
    output={
        "table": "<results>/ergen2021/image_profiles.parquet",
        "curves": "<results>/ergen2021/image_curves.parquet",
        "timing": "<results>/ergen2021/image_timing.parquet",
    },
    replicate=True,
)
declare(
    "ergen2021",
    "train_circular_images",
    "Three-layer circular networks on rows of the images",
    input=IMAGES,
    output={
        "table": "<results>/ergen2021/circular_images.parquet",
        "curves": "<results>/ergen2021/circular_image_curves.parquet",
        "timing": "<results>/ergen2021/circular_image_timing.parquet",
    },
)
declare(
    "ergen2021",
    "train_image_patches",
    "Two-dimensional patches of the images with sampled gates",
    input=IMAGES,
    output={
        "table": "<results>/ergen2021/image_patches.parquet",
        "timing": "<results>/ergen2021/image_patches_timing.parquet",
    },
)
declare(
    "ergen2021",
    "train_photographs",
    "Patches of colour photographs with sampled gates",
    output={
        "table": "<results>/ergen2021/photograph_patches.parquet",
        "timing": "<results>/ergen2021/photograph_patches_timing.parquet",
    },
)
