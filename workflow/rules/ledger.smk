# The ledger: all verdicts on one page, and what the run was made with.


rule collect_claims:
    input:
        claims=[f"<results>/{paper}/claims.json" for paper in config["papers"]],
        step="workflow/scripts/collect_claims.py",
        code=imports("workflow/scripts/collect_claims.py"),
    output:
        ensure("<results>/claims.csv", non_empty=True),
    log:
        "<results>/logs/collect_claims.log",
    benchmark:
        "<results>/benchmarks/collect_claims.jsonl"
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    message:
        "Collecting the verdicts"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --claims {input.claims} > {log} 2>&1"


rule record_provenance:
    input:
        claims="<results>/claims.csv",
        step="workflow/scripts/record_provenance.py",
        code=imports("workflow/scripts/record_provenance.py"),
    output:
        ensure("<results>/provenance.json", non_empty=True),
    log:
        "<results>/logs/record_provenance.log",
    benchmark:
        "<results>/benchmarks/record_provenance.jsonl"
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        benchmarks=subpath(input.claims, parent=True),
        scale=config["scale"],
    message:
        "Recording versions, machine and code revision"
    shell:
        "PYTHONPATH=src:. python {input.step} {output} --results {params.benchmarks}"
        " --scale {params.scale} > {log} 2>&1"


rule verify:
    input:
        step="workflow/scripts/verify.py",
        code=imports("workflow/scripts/verify.py"),
    log:
        "<results>/logs/verify.log",
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        claims=[
            workflow.pathvars.apply(f"<results>/{paper}/claims.json") for paper in config["papers"]
        ],
    message:
        "Comparing the verdicts with what the papers' specifications expect"
    shell:
        "PYTHONPATH=src:. python {input.step} {params.claims} | tee {log}"


for paper in FIGURES:

    rule:
        name:
            f"verify_{paper}"
        input:
            step="workflow/scripts/verify.py",
            code=imports("workflow/scripts/verify.py"),
        log:
            f"<results>/logs/verify_{paper}.log",
        localrule: True
        conda:
            "../../envs/compute.yaml"
        threads: 1
        params:
            claims=workflow.pathvars.apply(f"<results>/{paper}/claims.json"),
        message:
            "Comparing the verdicts of one paper with what its specification expects"
        shell:
            "PYTHONPATH=src:. python {input.step} {params.claims} | tee {log}"
