# Four theories on one task: a teacher of few filters, students of any width, drawn inside the steps.

TASK_IMAGES = {
    "images": "<results>/data/train_images.npy",
    "source": "<results>/data/source.json",
}

declare(
    "together",
    "map_widths",
    "What descent reaches at every width and sample size: {wildcards.case}",
    output={
        name: f"<results>/together/{name}_{{case}}.parquet"
        for name in ("runs", "optima", "limits")
    },
    priority=1,
)
declare(
    "together",
    "map_image_widths",
    "What descent reaches at every width and sample size: images",
    input=TASK_IMAGES,
    output={
        name: f"<results>/together/{name}_images.parquet"
        for name in ("runs", "optima", "limits")
    },
    priority=1,
    replicate=True,
)
declare(
    "together",
    "map_dimensions",
    "Samples needed by dimension: tensor start, random start, convex program",
    output="<results>/together/dimensions.parquet",
    priority=1,
)
declare(
    "together",
    "trace_training",
    "Where training lives, from few filters to many",
    input=TASK_IMAGES,
    output="<results>/together/training.parquet",
    priority=1,
    replicate=True,
)
