# What all papers share: figures and verdicts from their tables.

CAPTIONS = {
    paper: yaml.safe_load(Path(workflow.basedir, f"workflow/report/{paper}.yaml").read_text())
    for paper in FIGURES
}


rule draw_figure:
    input:
        step="figures/{paper}/{figure}.py",
        code=lambda wildcards: imports(f"figures/{wildcards.paper}/{wildcards.figure}.py"),
        tables=lambda wildcards: [
            f"<results>/{wildcards.paper}/{table}.parquet"
            for table in FIGURES[wildcards.paper][wildcards.figure]
        ],
    output:
        svg=report(
            "<figures>/{paper}/{figure}.svg",
            caption="../report/caption.rst",
            category="{paper}",
            labels={"figure": "{figure}"},
        ),
        pdf="<figures>/{paper}/{figure}.pdf",
        csv="<figures>/{paper}/{figure}.csv",
    log:
        "<results>/logs/{paper}/draw_{figure}.log",
    benchmark:
        "<results>/benchmarks/{paper}/draw_{figure}.jsonl"
    wildcard_constraints:
        figure="|".join(sorted({figure for figures in FIGURES.values() for figure in figures})),
    conda:
        "../../envs/figures.yaml"
    threads: 1
    params:
        caption=lambda wildcards: CAPTIONS[wildcards.paper][wildcards.figure],
    message:
        "Drawing {wildcards.figure} of {wildcards.paper}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output.svg} {input.tables} > {log} 2>&1"


rule judge:
    input:
        tables=lambda wildcards: sorted(
            {
                f"<results>/{wildcards.paper}/{table}.parquet"
                for tables in FIGURES[wildcards.paper].values()
                for table in tables
            }
        ),
        claims="workflow/claims/{paper}.yaml",
        step="workflow/scripts/{paper}/judge.py",
        code=lambda wildcards: imports(f"workflow/scripts/{wildcards.paper}/judge.py"),
    output:
        ensure("<results>/{paper}/claims.json", non_empty=True),
    log:
        "<results>/logs/{paper}/judge.log",
    benchmark:
        "<results>/benchmarks/{paper}/judge.jsonl"
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        tables=subpath(output[0], parent=True),
        figures=lambda wildcards: workflow.pathvars.apply(f"<figures>/{wildcards.paper}"),
        scale=config["scale"],
        seed=config["seed"],
    message:
        "Judging the claims of {wildcards.paper}"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --tables {params.tables}"
        " --claims {input.claims} --figures {params.figures} --scale {params.scale}"
        " --seed {params.seed} > {log} 2>&1"
