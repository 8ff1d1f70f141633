# Data: obtain the images, cut them into patches.

SPLITS = ("train_images", "train_labels", "test_images", "test_labels")


rule fetch_mnist:
    input:
        dataset_files(config),
        step="workflow/scripts/data/fetch_mnist.py",
        code=imports("workflow/scripts/data/fetch_mnist.py"),
    output:
        **{split: f"<results>/data/{split}.npy" for split in SPLITS},
        source=ensure("<results>/data/source.json", non_empty=True),
    log:
        "<results>/logs/data/fetch_mnist.log",
    benchmark:
        "<results>/benchmarks/data/fetch_mnist.jsonl"
    priority: 1
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        command=flags(
            dataset=config["dataset"],
            request=request(config, workflow.pathvars.apply("<results>/data/source.json")),
            **config["mnist"],
        ),
    message:
        "Obtaining the images ({config[dataset]})"
    shell:
        "PYTHONPATH=src:. python {input.step} {output:q} {params.command} 2>&1 | tee {log:q}"


rule extract_patches:
    input:
        images="<results>/data/train_images.npy",
        source="<results>/data/source.json",
        step="workflow/scripts/data/extract_patches.py",
        code=imports("workflow/scripts/data/extract_patches.py"),
    output:
        ensure("<results>/data/patches.npy", non_empty=True),
    log:
        "<results>/logs/data/extract_patches.log",
    benchmark:
        "<results>/benchmarks/data/extract_patches.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        command=flags(**config["patches"]),
    message:
        "Cutting {config[patches][images]} images into patches"
    shell:
        "PYTHONPATH=src:. python {input.step} {output:q} --train-images {input.images:q}"
        " --source {input.source:q} {params.command} > {log:q} 2>&1"
