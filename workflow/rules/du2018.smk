# Du, Lee & Tian (2018): one filter. Steps in the order of the paper's sections.

declare(
    "du2018",
    "check_gradients",
    "Checking the gradient identities against autograd",
    output="<results>/du2018/gradients.parquet",
)
declare(
    "du2018",
    "estimate_smoothness",
    "Estimating gamma, L and the wrong region's eigenvalue from samples",
    output="<results>/du2018/smoothness.parquet",
)
declare(
    "du2018",
    "descend_from_anywhere",
    "Population gradient descent from random starts",
    output="<results>/du2018/basin.parquet",
)
declare(
    "du2018",
    "search_starts",
    "Searching for starts that do not recover",
    output="<results>/du2018/start_search.parquet",
)
declare(
    "du2018",
    "map_landscape",
    "The landscape of one neuron in the plane",
    output={
        "levels": "<results>/du2018/landscape_levels.parquet",
        "paths": "<results>/du2018/landscape_paths.parquet",
    },
    seeded=False,
)
declare(
    "du2018",
    "check_rate",
    "Drop per step of one neuron beside Theorem 2.2",
    output="<results>/du2018/rate.parquet",
)
declare(
    "du2018",
    "compare_smoothness",
    "Iterations against the smoothness of the input law",
    output="<results>/du2018/levels.parquet",
)
declare(
    "du2018",
    "compare_schedules",
    "Constant, two-stage and adaptive steps",
    output="<results>/du2018/schedules.parquet",
)
declare(
    "du2018",
    "map_condition",
    "Phase diagram of the condition gamma > 6 L_cross",
    output="<results>/du2018/condition.parquet",
    seeded=False,
)
declare(
    "du2018",
    "check_convolution_rate",
    "Drop per step of the convolutional filter beside Theorem 3.1",
    input={"condition": "<results>/du2018/condition.parquet"},
    output="<results>/du2018/convolution_rate.parquet",
)
declare(
    "du2018",
    "check_closeness",
    "What averaging close patches loses (Theorem 3.3)",
    output="<results>/du2018/closeness.parquet",
)
declare(
    "du2018",
    "stream",
    "SGD on a stream of fresh inputs",
    output={
        "table": "<results>/du2018/stream.parquet",
        "curves": "<results>/du2018/stream_curves.parquet",
    },
)
declare(
    "du2018",
    "time_stream",
    "Steps of SGD on a stream to the tolerance, many runs",
    output="<results>/du2018/stream_times.parquet",
)
declare(
    "du2018",
    "start_at_random",
    "Probability of a good random start",
    output="<results>/du2018/starts.parquet",
)
declare(
    "du2018",
    "start_inside",
    "Random starts inside the angle of Corollary 3.1",
    output="<results>/du2018/starts_inside.parquet",
)
declare(
    "du2018",
    "synthesise_inputs",
    "Drawing the synthetic inputs: {wildcards.case}",
    output={"angles": "<results>/du2018/inputs_{case}.npy"},
)


def inputs_of(wildcards):
    """Options of the inputs that are trained on."""
    return section(config, "du2018", "synthesise_inputs", wildcards.case)


declare(
    "du2018",
    "train_synthetic",
    "SGD on synthetic inputs: {wildcards.case}, p = {wildcards.dimension}",
    input={"inputs": "<results>/du2018/inputs_{case}.npy"},
    output="<results>/du2018/sgd_{case}_p{dimension}.parquet",
    options={
        "dimension": "{dimension}",
        "sigmas": lambda wildcards: inputs_of(wildcards)["sigmas"],
        "base_sigma": lambda wildcards: inputs_of(wildcards).get("base_sigma"),
    },
)
declare(
    "du2018",
    "draw_teacher",
    "Drawing random and Gabor teachers",
    input={
        "patches": "<results>/data/patches.npy",
        "source": "<results>/data/source.json",
    },
    output="<results>/du2018/teachers.parquet",
    replicate=True,
)
declare(
    "du2018",
    "check_image_condition",
    "Measuring gamma and L_cross of the image patches",
    input={
        "patches": "<results>/data/patches.npy",
        "source": "<results>/data/source.json",
        "teachers": "<results>/du2018/teachers.parquet",
    },
    output="<results>/du2018/image_condition.parquet",
    replicate=True,
)
declare(
    "du2018",
    "measure_patches",
    "Angles and region curves of the image patches",
    input={
        "patches": "<results>/data/patches.npy",
        "source": "<results>/data/source.json",
        "teachers": "<results>/du2018/teachers.parquet",
    },
    output={
        "geometry": "<results>/du2018/patch_geometry.parquet",
        "regions": "<results>/du2018/regions.parquet",
    },
)
declare(
    "du2018",
    "train_mnist",
    "SGD on image patches, {wildcards.teacher} teachers",
    input={
        "patches": "<results>/data/patches.npy",
        "source": "<results>/data/source.json",
        "teachers": "<results>/du2018/teachers.parquet",
    },
    output={
        "training": "<results>/du2018/image_training_{teacher}.parquet",
        "spectrum": "<results>/du2018/image_spectrum_{teacher}.parquet",
        "filters": "<results>/du2018/image_filters_{teacher}.parquet",
        "interpolation": "<results>/du2018/image_interpolation_{teacher}.parquet",
    },
    options={"teacher": "{teacher}"},
    replicate=True,
)
