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
        name: f"<results>/together/{name}_{{case}}.parquet" for name in ("runs", "optima", "limits")
    },
    priority=1,
)
declare(
    "together",
    "map_image_widths",
    "What descent reaches at every width and sample size: images",
    input=TASK_IMAGES,
    output={
        name: f"<results>/together/{name}_images.parquet" for name in ("runs", "optima", "limits")
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
# What other papers' steps have measured, beside what the papers prove.
declare(
    "together",
    "collect_looseness",
    "What is proven beside what is needed, all four papers",
    input={
        "schedules": "<results>/du2018/schedules.parquet",
        "convolution_rate": "<results>/du2018/convolution_rate.parquet",
        "smoothness": "<results>/du2018/smoothness.parquet",
        "closeness": "<results>/du2018/closeness.parquet",
        "starts": "<results>/du2018/starts.parquet",
        "spectrum": "<results>/zhong2017/spectrum.parquet",
        "basin_search": "<results>/zhong2017/basin_search.parquet",
        "gd": "<results>/zhong2017/gd.parquet",
        "sample_hessian": "<results>/zhong2017/sample_hessian.parquet",
        "arrangements": "<results>/ergen2021/arrangements.parquet",
        "path": "<results>/ergen2021/path.parquet",
        "gates": "<results>/ergen2021/gates.parquet",
        "solver_work": "<results>/ergen2021/solver_work.parquet",
        "success": "<results>/allenzhu2019/success.parquet",
        "descent": "<results>/allenzhu2019/gd_w512.parquet",
        "times": "<results>/allenzhu2019/times_samples.parquet",
        "semismoothness": "<results>/allenzhu2019/semismoothness.parquet",
        "perturbed": "<results>/allenzhu2019/perturbed_omega.parquet",
        "separation": "<results>/allenzhu2019/separation.parquet",
    },
    output="<results>/together/looseness.parquet",
    options={
        "basin": lambda wildcards: [
            config["zhong2017"]["search_basin"][key] for key in ("kernels", "patches")
        ],
        "gd_patches": lambda wildcards: config["zhong2017"]["train_gd"]["patches"],
    },
)
