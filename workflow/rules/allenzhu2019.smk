# Allen-Zhu, Li & Song (2019): over-parameterised networks. Networks are drawn inside the steps:
# stored, the wide ones would take gigabytes.

ALLENZHU2019 = config["allenzhu2019"]
# The longest jobs of all papers are here and have priority, so that none is left for the end.
LANDSCAPES = [cell for cell in ALLENZHU2019["landscape"] if cell != "common"]


rule select_subset:
    input:
        images="<results>/data/train_images.npy",
        labels="<results>/data/train_labels.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/select_subset.py",
        code=imports("workflow/scripts/allenzhu2019/select_subset.py"),
    output:
        pixels=ensure("<results>/allenzhu2019/pixels.npy", non_empty=True),
        digits=ensure("<results>/allenzhu2019/digits.npy", non_empty=True),
        table=ensure("<results>/allenzhu2019/subsets.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/select_subset.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/select_subset.jsonl"
    priority: 1
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ALLENZHU2019["select_subset"]),
    message:
        "Choosing subsets of the images"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --images {input.images}"
        " --labels {input.labels} --source {input.source} {params.flags} > {log} 2>&1"


rule initialise:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/initialise.py",
        code=imports("workflow/scripts/allenzhu2019/initialise.py"),
    output:
        table=ensure("<results>/allenzhu2019/initial.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/initialise.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/initialise.jsonl"
    priority: 1
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], device=config["device"], **ALLENZHU2019["initialise"]),
    message:
        "Signals of networks at initialisation"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule separate_inputs:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/separate_inputs.py",
        code=imports("workflow/scripts/allenzhu2019/separate_inputs.py"),
    output:
        table=ensure("<results>/allenzhu2019/separation.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/separate_inputs.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/separate_inputs.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], device=config["device"], **ALLENZHU2019["separate_inputs"]),
    message:
        "How far apart the inputs stay from layer to layer"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule tangent_kernel:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/tangent_kernel.py",
        code=imports("workflow/scripts/allenzhu2019/tangent_kernel.py"),
    output:
        table=ensure("<results>/allenzhu2019/kernel.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/tangent_kernel.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/tangent_kernel.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], device=config["device"], **ALLENZHU2019["tangent_kernel"]),
    message:
        "Tangent kernel beside its infinite-width limit"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


# Rules of all papers share one space of names, so "wide" sets these two apart.
rule train_wide_gd:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/train_gd.py",
        code=imports("workflow/scripts/allenzhu2019/train_gd.py"),
    output:
        table=ensure("<results>/allenzhu2019/gd_{study}.parquet", non_empty=True),
        curves=ensure("<results>/allenzhu2019/gd_{study}_curves.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/train_gd_{study}.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/train_gd_{study}.jsonl"
    wildcard_constraints:
        study="|".join(ALLENZHU2019["train_gd"]),
    priority: 1
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"],
            device=config["device"],
            **ALLENZHU2019["train_gd"][wildcards.study],
        ),
    message:
        "Gradient descent: {wildcards.study}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule train_wide_sgd:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/train_sgd.py",
        code=imports("workflow/scripts/allenzhu2019/train_sgd.py"),
    output:
        table=ensure("<results>/allenzhu2019/sgd.parquet", non_empty=True),
        curves=ensure("<results>/allenzhu2019/sgd_curves.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/train_sgd.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/train_sgd.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], device=config["device"], **ALLENZHU2019["train_sgd"]),
    message:
        "Stochastic gradient descent"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule measure_times:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/measure_times.py",
        code=imports("workflow/scripts/allenzhu2019/measure_times.py"),
    output:
        table=ensure("<results>/allenzhu2019/times_{study}.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/measure_times_{study}.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/measure_times_{study}.jsonl"
    wildcard_constraints:
        study="|".join(ALLENZHU2019["measure_times"]),
    priority: 1
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"],
            device=config["device"],
            **ALLENZHU2019["measure_times"][wildcards.study],
        ),
    message:
        "Iterations until the loss has fallen: {wildcards.study}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule map_success:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/map_success.py",
        code=imports("workflow/scripts/allenzhu2019/map_success.py"),
    output:
        table=ensure("<results>/allenzhu2019/success.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/map_success.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/map_success.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], device=config["device"], **ALLENZHU2019["map_success"]),
    message:
        "Which widths fit how many images"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule perturb:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/perturb.py",
        code=imports("workflow/scripts/allenzhu2019/perturb.py"),
    output:
        table=ensure("<results>/allenzhu2019/perturbed_{study}.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/perturb_{study}.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/perturb_{study}.jsonl"
    wildcard_constraints:
        study="|".join(ALLENZHU2019["perturb"]),
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"],
            device=config["device"],
            **ALLENZHU2019["perturb"][wildcards.study],
        ),
    message:
        "Perturbed weights: {wildcards.study}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule semismoothness:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/semismoothness.py",
        code=imports("workflow/scripts/allenzhu2019/semismoothness.py"),
    output:
        table=ensure("<results>/allenzhu2019/semismoothness.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/semismoothness.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/semismoothness.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], device=config["device"], **ALLENZHU2019["semismoothness"]),
    message:
        "Semi-smoothness along the path of descent"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule classify:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/classify.py",
        code=imports("workflow/scripts/allenzhu2019/classify.py"),
    output:
        table=ensure("<results>/allenzhu2019/classification_{network}.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/classify_{network}.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/classify_{network}.jsonl"
    wildcard_constraints:
        network="|".join(ALLENZHU2019["classify"]),
    priority: 1
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"],
            device=config["device"],
            **ALLENZHU2019["classify"][wildcards.network],
        ),
    message:
        "Cross-entropy on true and random labels: {wildcards.network}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} --network {wildcards.network} {params.flags} > {log} 2>&1"


rule break_hypotheses:
    input:
        pixels="<results>/allenzhu2019/pixels.npy",
        digits="<results>/allenzhu2019/digits.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/break_hypotheses.py",
        code=imports("workflow/scripts/allenzhu2019/break_hypotheses.py"),
    output:
        table=ensure("<results>/allenzhu2019/controls.parquet", non_empty=True),
        curves=ensure("<results>/allenzhu2019/controls_curves.parquet", non_empty=True),
    log:
        "<results>/logs/allenzhu2019/break_hypotheses.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/break_hypotheses.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(
            seed=config["seed"], device=config["device"], **ALLENZHU2019["break_hypotheses"]
        ),
    message:
        "Duplicates, other variances: where training must fail"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}"
        " --pixels {input.pixels} --digits {input.digits} --source {input.source} {params.flags} > {log} 2>&1"


rule landscape:
    input:
        images="<results>/data/train_images.npy",
        labels="<results>/data/train_labels.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/allenzhu2019/landscape.py",
        code=imports("workflow/scripts/allenzhu2019/landscape.py"),
    output:
        surface=ensure("<results>/allenzhu2019/landscape_{cell}.parquet", non_empty=True),
        summary=ensure("<results>/allenzhu2019/landscape_{cell}_summary.parquet", non_empty=True),
        curvature=ensure(
            "<results>/allenzhu2019/landscape_{cell}_curvature.parquet", non_empty=True
        ),
    log:
        "<results>/logs/allenzhu2019/landscape_{cell}.log",
    benchmark:
        "<results>/benchmarks/allenzhu2019/landscape_{cell}.jsonl"
    wildcard_constraints:
        cell="|".join(LANDSCAPES),
    priority: 1
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"],
            device=config["device"],
            **(ALLENZHU2019["landscape"]["common"] | ALLENZHU2019["landscape"][wildcards.cell]),
        ),
    message:
        "The loss around a network in training: {wildcards.cell}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --images {input.images}"
        " --labels {input.labels} --source {input.source} {params.flags} > {log} 2>&1"


# Figures: the tables that each one reads.
DESCENTS = [f"gd_{study}" for study in ("narrow", "w512", "w1024", "w2048")]
FIGURES["allenzhu2019"] = {
    "convergence": [f"{table}_curves" for table in DESCENTS] + DESCENTS,
    "sgd": ["sgd", "sgd_curves"],
    "times": ["times_samples", "times_depth", "times_pairs", "times_wide_pairs"],
    "slowdown": ["times_pairs", "times_wide_pairs"],
    "success": ["success"],
    "gradient_band": [f"{table}_curves" for table in DESCENTS] + DESCENTS,
    "semismoothness": ["semismoothness"],
    "flips": ["perturbed_omega", "perturbed_depth"],
    "perturbed_signals": ["perturbed_omega", "perturbed_depth", "perturbed_variance"],
    "initial": ["initial"],
    "separation": ["separation"],
    "kernel": ["kernel"],
    "movement": [*DESCENTS, "gd_small"],
    "kernel_change": [*DESCENTS, "gd_small"],
    "classification": [f"classification_{network}" for network in ALLENZHU2019["classify"]],
    "controls": ["controls", "controls_curves", "initial"],
    "landscape": [
        *(f"landscape_{cell}_summary" for cell in LANDSCAPES),
        "landscape_resnet_true_curvature",
        "landscape_plain_noisy_curvature",
    ],
    **{
        f"landscape_{cell}": [f"landscape_{cell}", f"landscape_{cell}_summary"]
        for cell in LANDSCAPES
        if not cell.endswith("seeds")
    },
}


rule allenzhu2019:
    input:
        results_of("allenzhu2019"),
    localrule: True
    message:
        "Figures, tables and verdicts of allenzhu2019 are up to date"
