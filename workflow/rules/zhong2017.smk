# Zhong, Song & Dhillon (2017): several kernels, tensor initialisation. Teachers and inputs are drawn
# inside the steps: stored, the inputs of the larger cells would take gigabytes.

ZHONG2017 = config["zhong2017"]


rule tabulate_rho:
    input:
        step="workflow/scripts/zhong2017/tabulate_rho.py",
        code=imports("workflow/scripts/zhong2017/tabulate_rho.py"),
    output:
        ensure("<results>/zhong2017/rho.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/tabulate_rho.log",
    benchmark:
        "<results>/benchmarks/zhong2017/tabulate_rho.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(**ZHONG2017["tabulate_rho"]),
    message:
        "The non-linearity rho of each activation"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule hessian_spectrum:
    input:
        step="workflow/scripts/zhong2017/hessian_spectrum.py",
        code=imports("workflow/scripts/zhong2017/hessian_spectrum.py"),
    output:
        ensure("<results>/zhong2017/spectrum.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/hessian_spectrum.log",
    benchmark:
        "<results>/benchmarks/zhong2017/hessian_spectrum.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ZHONG2017["hessian_spectrum"]),
    message:
        "Exact spectrum of the Hessian at the truth"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule sample_hessian:
    input:
        step="workflow/scripts/zhong2017/sample_hessian.py",
        code=imports("workflow/scripts/zhong2017/sample_hessian.py"),
    output:
        ensure("<results>/zhong2017/sample_hessian.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/sample_hessian.log",
    benchmark:
        "<results>/benchmarks/zhong2017/sample_hessian.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ZHONG2017["sample_hessian"]),
    message:
        "Empirical Hessian against the sample size"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule measure_basin:
    input:
        step="workflow/scripts/zhong2017/measure_basin.py",
        code=imports("workflow/scripts/zhong2017/measure_basin.py"),
    output:
        ensure("<results>/zhong2017/basin.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/measure_basin.log",
    benchmark:
        "<results>/benchmarks/zhong2017/measure_basin.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ZHONG2017["measure_basin"]),
    message:
        "How far from the truth the loss is convex"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule train_gd:
    input:
        step="workflow/scripts/zhong2017/train_gd.py",
        code=imports("workflow/scripts/zhong2017/train_gd.py"),
    output:
        table=ensure("<results>/zhong2017/gd.parquet", non_empty=True),
        curves=ensure("<results>/zhong2017/gd_curves.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/train_gd.log",
    benchmark:
        "<results>/benchmarks/zhong2017/train_gd.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ZHONG2017["train_gd"]),
    message:
        "Gradient descent near the truth, and controls"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule tensor_initialise:
    input:
        step="workflow/scripts/zhong2017/tensor_initialise.py",
        code=imports("workflow/scripts/zhong2017/tensor_initialise.py"),
    output:
        ensure("<results>/zhong2017/tensor_{study}.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/tensor_initialise_{study}.log",
    benchmark:
        "<results>/benchmarks/zhong2017/tensor_initialise_{study}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"], **ZHONG2017["tensor_initialise"][wildcards.study]
        ),
    message:
        "Error of tensor initialisation: {wildcards.study}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --study {wildcards.study} {params.flags} > {log} 2>&1"


rule recover:
    input:
        step="workflow/scripts/zhong2017/recover.py",
        code=imports("workflow/scripts/zhong2017/recover.py"),
    output:
        ensure("<results>/zhong2017/recovery_{study}.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/recover_{study}.log",
    benchmark:
        "<results>/benchmarks/zhong2017/recover_{study}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(seed=config["seed"], **ZHONG2017["recover"][wildcards.study]),
    message:
        "Recovery from tensor, local and random starts: {wildcards.study}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --study {wildcards.study} {params.flags} > {log} 2>&1"


rule compare_starts:
    input:
        step="workflow/scripts/zhong2017/compare_starts.py",
        code=imports("workflow/scripts/zhong2017/compare_starts.py"),
    output:
        table=ensure("<results>/zhong2017/starts_{problem}.parquet", non_empty=True),
        curves=ensure("<results>/zhong2017/starts_{problem}_curves.parquet", non_empty=True),
    log:
        "<results>/logs/zhong2017/compare_starts_{problem}.log",
    benchmark:
        "<results>/benchmarks/zhong2017/compare_starts_{problem}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"], **ZHONG2017["compare_starts"][wildcards.problem]
        ),
    message:
        "Three kinds of starts on the population loss: {wildcards.problem}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


# Figures: the tables that each one reads.
FIGURES["zhong2017"] = {
    "rho": ["rho"],
    "spectrum": ["spectrum"],
    "sample_hessian": ["sample_hessian"],
    "basin": ["basin"],
    "local_rate": ["gd", "gd_curves"],
    "controls": ["gd", "spectrum"],
    "tensor_error": [
        "tensor_size",
        "tensor_patches",
        "tensor_activation",
        "tensor_centre",
        "tensor_order",
        "tensor_law",
    ],
    "recovery": ["recovery_grid", "recovery_judged", "recovery_local", "recovery_tanh"],
    "starts": [
        "starts_relu_12",
        "starts_relu_12_curves",
        "starts_relu_8",
        "starts_relu_8_curves",
        "starts_erf_5",
        "starts_erf_5_curves",
        "starts_erf_5_few",
        "starts_erf_5_few_curves",
    ],
}


rule zhong2017:
    input:
        results_of("zhong2017"),
    localrule: True
    message:
        "Figures, tables and verdicts of zhong2017 are up to date"
