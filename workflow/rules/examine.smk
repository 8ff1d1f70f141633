# A network of your own, named in the configuration (examine), held against the four theories.

EXAMINED = examination(config)


rule examine:
    input:
        # Only who asks for it is told that nothing is named.
        lambda wildcards: examined(EXAMINED),
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
        command=EXAMINED.command,
        versions=versions("src/cnntheory/__main__.py", "examine"),
    message:
        "What the four theories say of a network: {output.page}"
    shell:
        "PYTHONPATH=src:. python -m cnntheory examine {params.command}"
        " --table {output.table:q} --plot {output.figure:q} > {output.page:q} 2> {log:q}"
