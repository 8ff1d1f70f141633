# Data: obtain the images, cut them into patches; the same for the data sets of the replication.

SPLITS = ("train_images", "train_labels", "test_images", "test_labels")
# Rule, folder, what is asked for and its section of the configuration.
DATASETS = [("fetch_mnist", "<results>", config["dataset"], "mnist")] + [
    (f"fetch_{section}", f"<results>/{dataset}", dataset, section)
    for dataset, section in ((name, images.KNOWN[name].section) for name in REPLICAS)
]
if config["dataset"] in images.KNOWN:
    DATASETS[0] = (*DATASETS[0][:3], images.KNOWN[config["dataset"]].section)

heal(
    f"{folder}/data/{name}"
    for _, folder, *_ in DATASETS
    for name in ("source.json", "patches.npy", *(f"{split}.npy" for split in SPLITS))
)

for fetching, folder, dataset, key in DATASETS:

    rule:
        name:
            fetching
        input:
            dataset_files(dataset),
            step="workflow/scripts/data/fetch_mnist.py",
            code=imports("workflow/scripts/data/fetch_mnist.py"),
        output:
            **{split: f"{folder}/data/{split}.npy" for split in SPLITS},
            source=ensure(f"{folder}/data/source.json", non_empty=True),
        log:
            f"{folder}/logs/data/fetch_mnist.log",
        priority: 1
        localrule: True
        conda:
            "../../envs/compute.yaml"
        threads: 1
        params:
            usage=usage(f"{folder}/benchmarks/data/fetch_mnist.jsonl"),
            dataset=dataset,
            command=flags(
                dataset=dataset,
                request=request(
                    config, workflow.pathvars.apply(f"{folder}/data/source.json"), dataset
                ),
                **config[key],
            ),
        message:
            "Obtaining the images ({params.dataset})"
        shell:
            "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output:q} {params.command} 2>&1 | tee {log:q}"


for cutting, folder in [("extract_patches", "<results>")] + [
    (replica_of("extract_patches", dataset), f"<results>/{dataset}") for dataset in REPLICAS
]:

    rule:
        name:
            cutting
        input:
            images=f"{folder}/data/train_images.npy",
            source=f"{folder}/data/source.json",
            step="workflow/scripts/data/extract_patches.py",
            code=imports("workflow/scripts/data/extract_patches.py"),
        output:
            ensure(f"{folder}/data/patches.npy", non_empty=True),
        log:
            f"{folder}/logs/data/extract_patches.log",
        conda:
            "../../envs/compute.yaml"
        threads: 1
        params:
            usage=usage(f"{folder}/benchmarks/data/extract_patches.jsonl"),
            command=flags(**config["patches"]),
        message:
            "Cutting up to {config[patches][images]} images into patches"
        shell:
            "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output:q} --train-images {input.images:q}"
            " --source {input.source:q} {params.command} 2>&1 | tee {log:q}"
