# Ergen & Pilanci (2021): exact convex programs of convolutional networks. Synthetic instances are
# drawn inside the steps. A table that ends with _timing holds seconds: it is drawn, never judged.

ERGEN2021 = config["ergen2021"]
# The architectures whose optimal networks are stored as filters and weights.
POOLED = ["fully_connected", "average", "max"]


rule enumerate_arrangements:
    input:
        step="workflow/scripts/ergen2021/enumerate_arrangements.py",
        code=imports("workflow/scripts/ergen2021/enumerate_arrangements.py"),
    output:
        ensure("<results>/ergen2021/arrangements.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/enumerate_arrangements.log",
    benchmark:
        "<results>/benchmarks/ergen2021/enumerate_arrangements.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["enumerate_arrangements"]),
    message:
        "Counting the sign patterns exactly"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule time_solver:
    input:
        step="workflow/scripts/ergen2021/time_solver.py",
        code=imports("workflow/scripts/ergen2021/time_solver.py"),
    output:
        ensure("<results>/ergen2021/solver_timing.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/time_solver.log",
    benchmark:
        "<results>/benchmarks/ergen2021/time_solver.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["time_solver"]),
    message:
        "Time to a certified optimum against the number of samples"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule train_convex:
    input:
        step="workflow/scripts/ergen2021/train_convex.py",
        code=imports("workflow/scripts/ergen2021/train_convex.py"),
    output:
        table=ensure("<results>/ergen2021/convex_{architecture}.parquet", non_empty=True),
        networks=ensure("<results>/ergen2021/networks_{architecture}.parquet", non_empty=True),
        duals=ensure("<results>/ergen2021/duals_{architecture}.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/train_convex_{architecture}.log",
    benchmark:
        "<results>/benchmarks/ergen2021/train_convex_{architecture}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"], **ERGEN2021["train_convex"][wildcards.architecture]
        ),
    message:
        "Training to certified optimality: {wildcards.architecture}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --architecture {wildcards.architecture}"
        " {params.flags} > {log} 2>&1"


rule train_sgd:
    input:
        convex="<results>/ergen2021/convex_{architecture}.parquet",
        step="workflow/scripts/ergen2021/train_sgd.py",
        code=imports("workflow/scripts/ergen2021/train_sgd.py"),
    output:
        ensure("<results>/ergen2021/sgd_{architecture}.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/train_sgd_{architecture}.log",
    benchmark:
        "<results>/benchmarks/ergen2021/train_sgd_{architecture}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"], **ERGEN2021["train_sgd"][wildcards.architecture]
        ),
    message:
        "Restarts of descent on the same instances: {wildcards.architecture}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --architecture {wildcards.architecture}"
        " --convex {input.convex}"
        " {params.flags} > {log} 2>&1"


rule recover_network:
    input:
        networks=expand("<results>/ergen2021/networks_{architecture}.parquet", architecture=POOLED),
        convex=expand("<results>/ergen2021/convex_{architecture}.parquet", architecture=POOLED),
        step="workflow/scripts/ergen2021/recover_network.py",
        code=imports("workflow/scripts/ergen2021/recover_network.py"),
    output:
        ensure("<results>/ergen2021/recovered.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/recover_network.log",
    benchmark:
        "<results>/benchmarks/ergen2021/recover_network.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"]),
    message:
        "Evaluating the networks mapped back from the convex solutions"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --networks {input.networks} --convex {input.convex}"
        " {params.flags} > {log} 2>&1"


rule certify:
    input:
        networks=expand("<results>/ergen2021/networks_{architecture}.parquet", architecture=POOLED),
        duals=expand("<results>/ergen2021/duals_{architecture}.parquet", architecture=POOLED),
        convex=expand("<results>/ergen2021/convex_{architecture}.parquet", architecture=POOLED),
        step="workflow/scripts/ergen2021/certify.py",
        code=imports("workflow/scripts/ergen2021/certify.py"),
    output:
        ensure("<results>/ergen2021/certificates.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/certify.log",
    benchmark:
        "<results>/benchmarks/ergen2021/certify.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["certify"]),
    message:
        "Pricing the networks over all cells"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --networks {input.networks}"
        " --duals {input.duals} --convex {input.convex}"
        " {params.flags} > {log} 2>&1"


rule sweep_widths:
    input:
        step="workflow/scripts/ergen2021/sweep_widths.py",
        code=imports("workflow/scripts/ergen2021/sweep_widths.py"),
    output:
        ensure("<results>/ergen2021/widths.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/sweep_widths.log",
    benchmark:
        "<results>/benchmarks/ergen2021/sweep_widths.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["sweep_widths"]),
    message:
        "End objectives of descent against the number of filters"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule train_toy:
    input:
        step="workflow/scripts/ergen2021/train_toy.py",
        code=imports("workflow/scripts/ergen2021/train_toy.py"),
    output:
        table=ensure("<results>/ergen2021/toy.parquet", non_empty=True),
        timing=ensure("<results>/ergen2021/toy_timing.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/train_toy.log",
    benchmark:
        "<results>/benchmarks/ergen2021/train_toy.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["train_toy"]),
    message:
        "SGD with few, medium and many filters on one instance"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule trace_path:
    input:
        step="workflow/scripts/ergen2021/trace_path.py",
        code=imports("workflow/scripts/ergen2021/trace_path.py"),
    output:
        path=ensure("<results>/ergen2021/path.parquet", non_empty=True),
        threshold=ensure("<results>/ergen2021/threshold.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/trace_path.log",
    benchmark:
        "<results>/benchmarks/ergen2021/trace_path.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["trace_path"]),
    message:
        "The path of optimal networks from beta_max down"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule sample_gates:
    input:
        step="workflow/scripts/ergen2021/sample_gates.py",
        code=imports("workflow/scripts/ergen2021/sample_gates.py"),
    output:
        ensure("<results>/ergen2021/gates.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/sample_gates.log",
    benchmark:
        "<results>/benchmarks/ergen2021/sample_gates.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["sample_gates"]),
    message:
        "The optimum over the cells of sampled gates"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule relax_program:
    input:
        step="workflow/scripts/ergen2021/relax_program.py",
        code=imports("workflow/scripts/ergen2021/relax_program.py"),
    output:
        ensure("<results>/ergen2021/relaxations.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/relax_program.log",
    benchmark:
        "<results>/benchmarks/ergen2021/relax_program.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["relax_program"]),
    message:
        "Leaving out constraints of the convex programs"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule sparsify_spectrum:
    input:
        step="workflow/scripts/ergen2021/sparsify_spectrum.py",
        code=imports("workflow/scripts/ergen2021/sparsify_spectrum.py"),
    output:
        ensure("<results>/ergen2021/spectra.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/sparsify_spectrum.log",
    benchmark:
        "<results>/benchmarks/ergen2021/sparsify_spectrum.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["sparsify_spectrum"]),
    message:
        "Frequencies of the circular network's filters"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule train_circular:
    input:
        step="workflow/scripts/ergen2021/train_circular.py",
        code=imports("workflow/scripts/ergen2021/train_circular.py"),
    output:
        ensure("<results>/ergen2021/circular_{case}.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/train_circular_{case}.log",
    benchmark:
        "<results>/benchmarks/ergen2021/train_circular_{case}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"], **ERGEN2021["train_circular"][wildcards.case]
        ),
    message:
        "Circular networks beside their program: {wildcards.case}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --case {wildcards.case}"
        " {params.flags} > {log} 2>&1"


rule sweep_rank:
    input:
        step="workflow/scripts/ergen2021/sweep_rank.py",
        code=imports("workflow/scripts/ergen2021/sweep_rank.py"),
    output:
        ensure("<results>/ergen2021/nuclear.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/sweep_rank.log",
    benchmark:
        "<results>/benchmarks/ergen2021/sweep_rank.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["sweep_rank"]),
    message:
        "The linear network at m = 1 .. rank"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} {params.flags} > {log} 2>&1"


rule train_images:
    input:
        images=multiext("<results>/data/", *[f"{split}.npy" for split in SPLITS]),
        source="<results>/data/source.json",
        step="workflow/scripts/ergen2021/train_images.py",
        code=imports("workflow/scripts/ergen2021/train_images.py"),
    output:
        table=ensure("<results>/ergen2021/image_profiles.parquet", non_empty=True),
        curves=ensure("<results>/ergen2021/image_curves.parquet", non_empty=True),
        timing=ensure("<results>/ergen2021/image_timing.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/train_images.log",
    benchmark:
        "<results>/benchmarks/ergen2021/train_images.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["train_images"]),
    message:
        "Certified networks on rows of the images"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --images {input.images} --source {input.source}"
        " {params.flags} > {log} 2>&1"


rule train_image_patches:
    input:
        images=multiext("<results>/data/", *[f"{split}.npy" for split in SPLITS]),
        source="<results>/data/source.json",
        step="workflow/scripts/ergen2021/train_image_patches.py",
        code=imports("workflow/scripts/ergen2021/train_image_patches.py"),
    output:
        table=ensure("<results>/ergen2021/image_patches.parquet", non_empty=True),
        timing=ensure("<results>/ergen2021/image_patches_timing.parquet", non_empty=True),
    log:
        "<results>/logs/ergen2021/train_image_patches.log",
    benchmark:
        "<results>/benchmarks/ergen2021/train_image_patches.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **ERGEN2021["train_image_patches"]),
    message:
        "Two-dimensional patches of the images with sampled gates"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --images {input.images} --source {input.source}"
        " {params.flags} > {log} 2>&1"


# Figures: the tables that each one reads.
FIGURES["ergen2021"] = {
    "toy": ["toy", "toy_timing"],
    "images": ["image_profiles", "image_curves", "image_timing"],
    "image_patches": ["image_patches", "image_patches_timing"],
    "equivalence": [f"sgd_{architecture}" for architecture in ERGEN2021["train_sgd"]],
    "certificates": ["recovered", "certificates"]
    + [f"convex_{architecture}" for architecture in ERGEN2021["train_convex"]],
    "widths": ["widths"],
    "filters": ["path", "sgd_average"],
    "arrangements": ["arrangements", "solver_timing"],
    "gates": ["gates"],
    "pooling": ["relaxations", "arrangements"],
    "relaxations": ["relaxations"],
    "spectral": ["spectra"] + [f"circular_{case}" for case in ERGEN2021["train_circular"]],
    "regularisers": [f"convex_{architecture}" for architecture in ERGEN2021["train_convex"]]
    + [f"sgd_{architecture}" for architecture in ERGEN2021["train_sgd"]],
    "nuclear": ["nuclear"],
    "path": ["path", "threshold"],
    "sgd_certificates": ["image_profiles"],
}


rule ergen2021:
    input:
        results_of("ergen2021"),
    localrule: True
    message:
        "Figures, tables and verdicts of ergen2021 are up to date"
