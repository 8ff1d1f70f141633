# Du, Lee & Tian (2018): one filter. Steps in the order of the paper's sections, then figures and
# verdicts. Every key of a step's configuration is an option of its script.

DU2018 = config["du2018"]


rule check_gradients:
    input:
        step="workflow/scripts/du2018/check_gradients.py",
        code=imports("workflow/scripts/du2018/check_gradients.py"),
    output:
        ensure("<results>/du2018/gradients.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/check_gradients.log",
    benchmark:
        "<results>/benchmarks/du2018/check_gradients.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["check_gradients"]),
    message:
        "Checking the gradient identities against autograd"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule estimate_smoothness:
    input:
        step="workflow/scripts/du2018/estimate_smoothness.py",
        code=imports("workflow/scripts/du2018/estimate_smoothness.py"),
    output:
        ensure("<results>/du2018/smoothness.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/estimate_smoothness.log",
    benchmark:
        "<results>/benchmarks/du2018/estimate_smoothness.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["estimate_smoothness"]),
    message:
        "Estimating gamma, L and the wrong region's eigenvalue from samples"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule descend_from_anywhere:
    input:
        step="workflow/scripts/du2018/descend_from_anywhere.py",
        code=imports("workflow/scripts/du2018/descend_from_anywhere.py"),
    output:
        ensure("<results>/du2018/basin.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/descend_from_anywhere.log",
    benchmark:
        "<results>/benchmarks/du2018/descend_from_anywhere.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["descend_from_anywhere"]),
    message:
        "Population gradient descent from random starts"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule check_rate:
    input:
        step="workflow/scripts/du2018/check_rate.py",
        code=imports("workflow/scripts/du2018/check_rate.py"),
    output:
        ensure("<results>/du2018/rate.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/check_rate.log",
    benchmark:
        "<results>/benchmarks/du2018/check_rate.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["check_rate"]),
    message:
        "Drop per step of one neuron beside Theorem 2.2"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule compare_smoothness:
    input:
        step="workflow/scripts/du2018/compare_smoothness.py",
        code=imports("workflow/scripts/du2018/compare_smoothness.py"),
    output:
        ensure("<results>/du2018/levels.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/compare_smoothness.log",
    benchmark:
        "<results>/benchmarks/du2018/compare_smoothness.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["compare_smoothness"]),
    message:
        "Iterations against the smoothness of the input law"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule compare_schedules:
    input:
        step="workflow/scripts/du2018/compare_schedules.py",
        code=imports("workflow/scripts/du2018/compare_schedules.py"),
    output:
        ensure("<results>/du2018/schedules.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/compare_schedules.log",
    benchmark:
        "<results>/benchmarks/du2018/compare_schedules.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["compare_schedules"]),
    message:
        "Constant, two-stage and adaptive steps"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule map_condition:
    input:
        step="workflow/scripts/du2018/map_condition.py",
        code=imports("workflow/scripts/du2018/map_condition.py"),
    output:
        ensure("<results>/du2018/condition.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/map_condition.log",
    benchmark:
        "<results>/benchmarks/du2018/map_condition.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(**DU2018["map_condition"]),
    message:
        "Phase diagram of the condition gamma > 6 L_cross"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule check_convolution_rate:
    input:
        condition="<results>/du2018/condition.parquet",
        step="workflow/scripts/du2018/check_convolution_rate.py",
        code=imports("workflow/scripts/du2018/check_convolution_rate.py"),
    output:
        ensure("<results>/du2018/convolution_rate.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/check_convolution_rate.log",
    benchmark:
        "<results>/benchmarks/du2018/check_convolution_rate.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["check_convolution_rate"]),
    message:
        "Drop per step of the convolutional filter beside Theorem 3.1"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --condition {input.condition}"
        " {params.flags} > {log} 2>&1"


rule check_closeness:
    input:
        step="workflow/scripts/du2018/check_closeness.py",
        code=imports("workflow/scripts/du2018/check_closeness.py"),
    output:
        ensure("<results>/du2018/closeness.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/check_closeness.log",
    benchmark:
        "<results>/benchmarks/du2018/check_closeness.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["check_closeness"]),
    message:
        "What averaging close patches loses (Theorem 3.3)"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule stream:
    input:
        step="workflow/scripts/du2018/stream.py",
        code=imports("workflow/scripts/du2018/stream.py"),
    output:
        table=ensure("<results>/du2018/stream.parquet", non_empty=True),
        curves=ensure("<results>/du2018/stream_curves.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/stream.log",
    benchmark:
        "<results>/benchmarks/du2018/stream.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["stream"]),
    message:
        "SGD on a stream of fresh inputs"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule start_at_random:
    input:
        step="workflow/scripts/du2018/start_at_random.py",
        code=imports("workflow/scripts/du2018/start_at_random.py"),
    output:
        ensure("<results>/du2018/starts.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/start_at_random.log",
    benchmark:
        "<results>/benchmarks/du2018/start_at_random.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["start_at_random"]),
    message:
        "Probability of a good random start"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule synthesise_inputs:
    input:
        step="workflow/scripts/du2018/synthesise_inputs.py",
        code=imports("workflow/scripts/du2018/synthesise_inputs.py"),
    output:
        ensure("<results>/du2018/inputs_{inputs}.npy", non_empty=True),
    log:
        "<results>/logs/du2018/synthesise_inputs_{inputs}.log",
    benchmark:
        "<results>/benchmarks/du2018/synthesise_inputs_{inputs}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"], **DU2018["synthesise_inputs"][wildcards.inputs]
        ),
    message:
        "Drawing the synthetic inputs: {wildcards.inputs}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output}" " {params.flags} > {log} 2>&1"


rule train_synthetic:
    input:
        inputs="<results>/du2018/inputs_{inputs}.npy",
        step="workflow/scripts/du2018/train_synthetic.py",
        code=imports("workflow/scripts/du2018/train_synthetic.py"),
    output:
        ensure("<results>/du2018/sgd_{inputs}_p{dimension}.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/train_synthetic_{inputs}_p{dimension}.log",
    benchmark:
        "<results>/benchmarks/du2018/train_synthetic_{inputs}_p{dimension}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=lambda wildcards: flags(
            seed=config["seed"],
            sigmas=DU2018["synthesise_inputs"][wildcards.inputs]["sigmas"],
            base_sigma=DU2018["synthesise_inputs"][wildcards.inputs].get("base_sigma"),
            **DU2018["train_synthetic"][wildcards.inputs],
        ),
    message:
        "SGD on synthetic inputs: {wildcards.inputs}, p = {wildcards.dimension}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --inputs {input.inputs}"
        " --dimension {wildcards.dimension} {params.flags} > {log} 2>&1"


rule draw_teacher:
    input:
        patches="<results>/data/patches.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/du2018/draw_teacher.py",
        code=imports("workflow/scripts/du2018/draw_teacher.py"),
    output:
        ensure("<results>/du2018/teachers.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/draw_teacher.log",
    benchmark:
        "<results>/benchmarks/du2018/draw_teacher.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["draw_teacher"]),
    message:
        "Drawing random and Gabor teachers"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --patches {input.patches} --source {input.source}"
        " {params.flags} > {log} 2>&1"


rule measure_patches:
    input:
        patches="<results>/data/patches.npy",
        source="<results>/data/source.json",
        teachers="<results>/du2018/teachers.parquet",
        step="workflow/scripts/du2018/measure_patches.py",
        code=imports("workflow/scripts/du2018/measure_patches.py"),
    output:
        geometry=ensure("<results>/du2018/patch_geometry.parquet", non_empty=True),
        regions=ensure("<results>/du2018/regions.parquet", non_empty=True),
    log:
        "<results>/logs/du2018/measure_patches.log",
    benchmark:
        "<results>/benchmarks/du2018/measure_patches.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"]),
    message:
        "Angles and region curves of the image patches"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --patches {input.patches} --source {input.source} --teachers {input.teachers}"
        " {params.flags} > {log} 2>&1"


rule train_mnist:
    input:
        patches="<results>/data/patches.npy",
        source="<results>/data/source.json",
        teachers="<results>/du2018/teachers.parquet",
        step="workflow/scripts/du2018/train_mnist.py",
        code=imports("workflow/scripts/du2018/train_mnist.py"),
    output:
        training=ensure("<results>/du2018/image_training_{teacher}.parquet", non_empty=True),
        spectrum=ensure("<results>/du2018/image_spectrum_{teacher}.parquet", non_empty=True),
        filters=ensure("<results>/du2018/image_filters_{teacher}.parquet", non_empty=True),
        interpolation=ensure(
            "<results>/du2018/image_interpolation_{teacher}.parquet", non_empty=True
        ),
    log:
        "<results>/logs/du2018/train_mnist_{teacher}.log",
    benchmark:
        "<results>/benchmarks/du2018/train_mnist_{teacher}.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        flags=flags(seed=config["seed"], **DU2018["train_mnist"]),
    message:
        "SGD on image patches, {wildcards.teacher} teachers"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --patches {input.patches} --source {input.source} --teachers {input.teachers}"
        " --teacher {wildcards.teacher} {params.flags} > {log} 2>&1"


# Figures: the tables that each one reads.
FIGURES["du2018"] = {
    "fig1": ["patch_geometry"],
    "fig2": ["regions"],
    "fig3a": ["sgd_neuron_p2", "sgd_neuron_p10"],
    "fig3b": ["sgd_patches_p2", "sgd_close_patches_p2"],
    "fig3c": ["image_training_random"],
    "fig3d": ["image_training_gabor"],
    "fig4": [f"image_filters_{teacher}" for teacher in ("random", "gabor")],
    "fig5": [f"image_interpolation_{teacher}" for teacher in ("random", "gabor")],
    "gradients": ["gradients"],
    "smoothness": ["smoothness"],
    "basin": ["basin"],
    "rate": ["rate"],
    "levels": ["levels"],
    "schedules": ["schedules"],
    "condition": ["condition", "convolution_rate"],
    "closeness": ["closeness"],
    "stream": ["stream", "stream_curves"],
    "starts": ["starts"],
    "spectrum": [f"image_spectrum_{teacher}" for teacher in ("random", "gabor")],
}


rule du2018:
    input:
        results_of("du2018"),
    localrule: True
    message:
        "Figures, tables and verdicts of du2018 are up to date"
