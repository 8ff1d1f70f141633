# The ledger: all verdicts in one table, and what the run was made with.


rule collect_claims:
    input:
        verdicts=verdicts_of(config["papers"]),
        step="workflow/scripts/ledger/collect_claims.py",
        code=imports("workflow/scripts/ledger/collect_claims.py"),
    output:
        ensure("<results>/claims.csv", non_empty=True),
    log:
        "<results>/logs/collect_claims.log",
    benchmark:
        "<results>/benchmarks/collect_claims.jsonl"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    threads: 1
    message:
        "Collecting the verdicts"
    shell:
        "PYTHONPATH=src:. python {input.step} {output:q} {input.verdicts:q} > {log:q} 2>&1"


rule record_provenance:
    input:
        claims="<results>/claims.csv",
        step="workflow/scripts/ledger/record_provenance.py",
        code=imports("workflow/scripts/ledger/record_provenance.py"),
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
        results=subpath(input.claims, parent=True),
        scale=config["scale"],
    message:
        "Recording versions, machine and code revision"
    shell:
        "PYTHONPATH=src:. python {input.step} {output:q} --results {params.results:q}"
        " --scale {params.scale} > {log:q} 2>&1"


VERIFIED = {"verify": config["papers"]} | {f"verify_{paper}": [paper] for paper in STUDIES}

for rule_name, papers in VERIFIED.items():

    rule:
        name:
            rule_name
        input:
            step="workflow/scripts/ledger/verify.py",
            code=imports("workflow/scripts/ledger/verify.py"),
        log:
            f"<results>/logs/{rule_name}.log",
        localrule: True
        conda:
            "../../envs/studies.yaml"
        threads: 1
        params:
            verdicts=[workflow.pathvars.apply(path) for path in verdicts_of(papers)],
        message:
            "Comparing the verdicts with what the papers' specifications expect"
        shell:
            "PYTHONPATH=src:. python {input.step} {params.verdicts:q} | tee {log:q}"
