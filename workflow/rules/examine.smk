# A network of your own, named in the configuration (examine), held against the four theories.

EXAMINED, EXAMINATION = examination(config)


def examined(wildcards):
    """The files that are named, or an error that says how to name them."""
    if EXAMINATION is None:
        raise ValueError(
            "name a model and images in a configuration file: config/README.md, examine"
        )
    return EXAMINED


rule examine:
    input:
        examined,
        step="src/cnntheory/__main__.py",
        code=imports("src/cnntheory/__main__.py"),
    output:
        page="<results>/examination/page.txt",
        table="<results>/examination/hypotheses.csv",
        figure="<results>/examination/page.svg",
    log:
        "<results>/logs/examine.log",
    benchmark:
        "<results>/benchmarks/examine.jsonl"
    conda:
        "../../envs/examine.yaml"
    threads: 1
    params:
        command=EXAMINATION,
        versions=versions("src/cnntheory/__main__.py", "examine"),
    message:
        "What the four theories say of a network: {output.page}"
    shell:
        "PYTHONPATH=src:. python -m cnntheory examine {params.command}"
        " --table {output.table:q} --plot {output.figure:q} > {output.page:q} 2> {log:q}"
