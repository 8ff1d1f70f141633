# Zhong, Song & Dhillon (2017): several kernels, tensor initialisation. Teachers and inputs are drawn
# inside the steps: stored, the inputs of the larger cells would take gigabytes.

declare(
    "zhong2017",
    "tabulate_rho",
    "The non-linearity rho of each activation",
    output="<results>/zhong2017/rho.parquet",
    seeded=False,
)
declare(
    "zhong2017",
    "hessian_spectrum",
    "Exact spectrum of the Hessian at the truth",
    output="<results>/zhong2017/spectrum.parquet",
)
declare(
    "zhong2017",
    "sample_hessian",
    "Empirical Hessian against the sample size",
    output="<results>/zhong2017/sample_hessian.parquet",
)
declare(
    "zhong2017",
    "measure_basin",
    "How far from the truth the loss is convex",
    output="<results>/zhong2017/basin.parquet",
)
declare(
    "zhong2017",
    "search_basin",
    "Worst direction around the truth, by search",
    output="<results>/zhong2017/basin_search.parquet",
)
declare(
    "zhong2017",
    "train_gd",
    "Gradient descent near the truth, and controls",
    output={
        "table": "<results>/zhong2017/gd.parquet",
        "curves": "<results>/zhong2017/gd_curves.parquet",
    },
)
declare(
    "zhong2017",
    "tensor_initialise",
    "Error of tensor initialisation: {wildcards.case}",
    output="<results>/zhong2017/tensor_{case}.parquet",
)
declare(
    "zhong2017",
    "recover",
    "Recovery from tensor, local and random starts: {wildcards.case}",
    output="<results>/zhong2017/recovery_{case}.parquet",
)
declare(
    "zhong2017",
    "compare_starts",
    "Three kinds of starts on the population loss: {wildcards.case}",
    output={
        "table": "<results>/zhong2017/starts_{case}.parquet",
        "curves": "<results>/zhong2017/starts_{case}_curves.parquet",
    },
)
declare(
    "zhong2017",
    "train_levenberg_marquardt",
    "Samples needed, by second-order steps: {wildcards.case}",
    output="<results>/zhong2017/{case}.parquet",
)
declare(
    "zhong2017",
    "time_initialisation",
    "Seconds of tensor initialisation against d",
    output="<results>/zhong2017/tensor_timing.parquet",
)
