# A study reads tables; it judges its claims and draws them. One rule for the studies of all papers.


rule study:
    input:
        step="workflow/studies/{paper}/{study}.py",
        sign="workflow/studies/{paper}/{study}.yaml",
        code=lambda wildcards: imports(f"workflow/studies/{wildcards.paper}/{wildcards.study}.py"),
        tables=lambda wildcards: [
            f"<results>/{wildcards.paper}/{table}.parquet" for table in tables_of(sign(wildcards))
        ],
        replicas=lambda wildcards: [
            f"<results>/{dataset}/{wildcards.paper}/{table}.parquet"
            for dataset in REPLICAS
            for table in tables_of(sign(wildcards), ["replicate"])
        ],
    output:
        verdicts=ensure("<results>/{paper}/verdicts/{study}.json", non_empty=True),
        svg=report(
            "<figures>/{paper}/{study}.svg",
            caption="../report/caption.rst",
            category="{paper}",
            labels={"study": "{study}"},
        ),
        pdf="<figures>/{paper}/{study}.pdf",
        csv="<figures>/{paper}/{study}.csv",
    log:
        "<results>/logs/{paper}/studies/{study}.log",
    benchmark:
        "<results>/benchmarks/{paper}/studies/{study}.jsonl"
    wildcard_constraints:
        study="|".join(sorted({study for studies in STUDIES.values() for study in studies})),
    conda:
        "../../envs/studies.yaml"
    threads: 1
    params:
        tables=lambda wildcards: workflow.pathvars.apply(f"<results>/{wildcards.paper}"),
        replicas=lambda wildcards: shlex.join(
            word
            for dataset in (REPLICAS if sign(wildcards).get("replicate") else [])
            for word in (
                "--replica",
                workflow.pathvars.apply(f"<results>/{dataset}/{wildcards.paper}"),
            )
        ),
        caption=lambda wildcards: sign(wildcards)["caption"],
        scale=config["scale"],
        seed=config["seed"],
    message:
        "Judging and drawing {wildcards.study} of {wildcards.paper}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output.verdicts:q} {output.svg:q}"
        " --tables {params.tables:q} {params.replicas}"
        " --scale {params.scale} --seed {params.seed} > {log:q} 2>&1"
