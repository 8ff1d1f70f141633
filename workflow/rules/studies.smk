# A study reads tables; it judges its claims and draws them. One rule for the studies of all papers.


heal(verdicts_of(STUDIES))
heal(
    {
        table
        for paper, signs in STUDIES.items()
        for study in signs
        for table in tables_read(paper, study)
    }
)


rule study:
    input:
        step="workflow/studies/{paper}/{study}.py",
        sign="workflow/studies/{paper}/{study}.yaml",
        code=lambda wildcards: imports(f"workflow/studies/{wildcards.paper}/{wildcards.study}.py"),
        tables=lambda wildcards: tables_read(wildcards.paper, wildcards.study),
    output:
        verdicts=ensure("<results>/{paper}/verdicts/{study}.json", non_empty=True),
        svg=report(
            "<figures>/{paper}/{study}.svg",
            caption="../report/caption.rst",
            category="{paper}",
            labels=lambda wildcards: {
                "study": wildcards.study,
                "claims": ", ".join(claim["id"] for claim in sign(wildcards).get("claims", [])),
            },
        ),
        pdf="<figures>/{paper}/{study}.pdf",
        csv="<figures>/{paper}/{study}.csv",
    log:
        "<results>/logs/{paper}/studies/{study}.log",
    wildcard_constraints:
        study="|".join(sorted({study for studies in STUDIES.values() for study in studies})),
    conda:
        "../../envs/studies.yaml"
    threads: 1
    params:
        usage=usage("<results>/benchmarks/{paper}/studies/{study}.jsonl"),
        tables=lambda wildcards: workflow.pathvars.apply(f"<results>/{wildcards.paper}"),
        replicas=lambda wildcards: shlex.join(
            word
            for dataset in (REPLICAS if sign(wildcards).get("replicate") else [])
            for word in (
                "--replica",
                workflow.pathvars.apply(f"<results>/{dataset}/{wildcards.paper}"),
            )
        ),
        caption=lambda wildcards: caption(sign(wildcards)),
        scale=config["scale"],
        seed=config["seed"],
        versions=lambda wildcards: versions(
            f"workflow/studies/{wildcards.paper}/{wildcards.study}.py", "studies"
        ),
    message:
        "Judging and drawing {wildcards.study} of {wildcards.paper}"
    shell:
        "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output.verdicts:q} {output.svg:q}"
        " --tables {params.tables:q} {params.replicas}"
        " --scale {params.scale} --seed {params.seed} > {log:q} 2>&1"


rule forest:
    input:
        step="workflow/studies/forest.py",
        code=imports("workflow/studies/forest.py"),
        verdicts=lambda wildcards: verdicts_of([wildcards.paper]),
    output:
        svg=report(
            "<figures>/{paper}/verdicts.svg",
            category="{paper}",
            labels={"study": "all verdicts", "claims": "all"},
        ),
        pdf="<figures>/{paper}/verdicts.pdf",
        csv="<figures>/{paper}/verdicts.csv",
    log:
        "<results>/logs/{paper}/forest.log",
    conda:
        "../../envs/studies.yaml"
    threads: 1
    params:
        usage=usage("<results>/benchmarks/{paper}/forest.jsonl"),
        versions=versions("workflow/studies/forest.py", "studies"),
    message:
        "Drawing all verdicts of {wildcards.paper}"
    shell:
        "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output.svg:q} {input.verdicts:q} > {log:q} 2>&1"
