# Allen-Zhu, Li & Song (2019): over-parameterised networks. Networks are drawn inside the steps:
# stored, the wide ones would take gigabytes. The longest jobs of all papers are here.

SUBSETS = {
    "pixels": "<results>/allenzhu2019/pixels.npy",
    "digits": "<results>/allenzhu2019/digits.npy",
    "source": "<results>/data/source.json",
}

declare(
    "allenzhu2019",
    "select_subset",
    "Choosing subsets of the images",
    input={
        "images": "<results>/data/train_images.npy",
        "labels": "<results>/data/train_labels.npy",
        "source": "<results>/data/source.json",
    },
    output={
        "pixels": "<results>/allenzhu2019/pixels.npy",
        "digits": "<results>/allenzhu2019/digits.npy",
        "table": "<results>/allenzhu2019/subsets.parquet",
    },
    priority=1,
    replicate=True,
)
declare(
    "allenzhu2019",
    "initialise",
    "Signals of networks at initialisation",
    input=SUBSETS,
    output="<results>/allenzhu2019/initial.parquet",
    options={"device": config["device"]},
    priority=1,
)
declare(
    "allenzhu2019",
    "separate_inputs",
    "How far apart the inputs stay from layer to layer",
    input=SUBSETS,
    output="<results>/allenzhu2019/separation.parquet",
)
declare(
    "allenzhu2019",
    "tangent_kernel",
    "Tangent kernel beside its infinite-width limit",
    input=SUBSETS,
    output="<results>/allenzhu2019/kernel.parquet",
    options={"device": config["device"]},
)
# Another paper has a train_gd and a train_sgd too: "wide" sets these apart.
declare(
    "allenzhu2019",
    "train_gd",
    "Gradient descent: {wildcards.case}",
    input=SUBSETS,
    output={
        "table": "<results>/allenzhu2019/gd_{case}.parquet",
        "curves": "<results>/allenzhu2019/gd_{case}_curves.parquet",
        "modes": "<results>/allenzhu2019/gd_{case}_modes.parquet",
    },
    options={"device": config["device"]},
    as_rule="train_wide_gd",
    priority=1,
    replicate=["w128", "w256", "w512", "w1024"],
)
declare(
    "allenzhu2019",
    "train_sgd",
    "Stochastic gradient descent",
    input=SUBSETS,
    output={
        "table": "<results>/allenzhu2019/sgd.parquet",
        "curves": "<results>/allenzhu2019/sgd_curves.parquet",
    },
    options={"device": config["device"]},
    as_rule="train_wide_sgd",
)
declare(
    "allenzhu2019",
    "measure_times",
    "Iterations until the loss has fallen: {wildcards.case}",
    input=SUBSETS,
    output="<results>/allenzhu2019/times_{case}.parquet",
    options={"device": config["device"]},
    priority=1,
)
declare(
    "allenzhu2019",
    "map_success",
    "Which widths fit how many images",
    input=SUBSETS,
    output="<results>/allenzhu2019/success.parquet",
    options={"device": config["device"]},
)
declare(
    "allenzhu2019",
    "perturb",
    "Perturbed weights: {wildcards.case}",
    input=SUBSETS,
    output="<results>/allenzhu2019/perturbed_{case}.parquet",
    options={"device": config["device"]},
)
declare(
    "allenzhu2019",
    "draw_adversary",
    "The adversary at widths that cannot be stored",
    output={
        "drawn": "<results>/allenzhu2019/perturbed_drawn.parquet",
        "split": "<results>/allenzhu2019/perturbed_split.parquet",
    },
)
declare(
    "allenzhu2019",
    "semismoothness",
    "Semi-smoothness along the path of descent",
    input=SUBSETS,
    output="<results>/allenzhu2019/semismoothness.parquet",
    options={"device": config["device"]},
)
declare(
    "allenzhu2019",
    "classify",
    "Cross-entropy on true and random labels: {wildcards.case}",
    input=SUBSETS,
    output="<results>/allenzhu2019/classification_{case}.parquet",
    options={"device": config["device"]},
    priority=1,
    replicate=["fully"],
)
declare(
    "allenzhu2019",
    "break_hypotheses",
    "Duplicates, other variances: where training must fail",
    input=SUBSETS,
    output={
        "table": "<results>/allenzhu2019/controls.parquet",
        "curves": "<results>/allenzhu2019/controls_curves.parquet",
    },
    options={"device": config["device"]},
)
declare(
    "allenzhu2019",
    "landscape",
    "The loss around a network in training: {wildcards.case}",
    input={
        "images": "<results>/data/train_images.npy",
        "labels": "<results>/data/train_labels.npy",
        "source": "<results>/data/source.json",
    },
    output={
        "surface": "<results>/allenzhu2019/landscape_{case}.parquet",
        "summary": "<results>/allenzhu2019/landscape_{case}_summary.parquet",
        "curvature": "<results>/allenzhu2019/landscape_{case}_curvature.parquet",
    },
    options={"device": config["device"]},
    priority=1,
)
