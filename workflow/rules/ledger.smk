# The ledger: all verdicts in one table, what the run was made with, and the page that shows it all.


rule collect_claims:
    input:
        verdicts=verdicts_of(config["papers"]),
        step="workflow/scripts/ledger/collect_claims.py",
        code=imports("workflow/scripts/ledger/collect_claims.py"),
    output:
        ensure("<results>/claims.csv", non_empty=True),
    log:
        "<results>/logs/collect_claims.log",
    localrule: True
    conda:
        "../../envs/studies.yaml"
    threads: 1
    params:
        usage=usage("<results>/benchmarks/collect_claims.jsonl"),
    message:
        "Collecting the verdicts"
    shell:
        "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output:q} {input.verdicts:q} > {log:q} 2>&1"


rule record_provenance:
    input:
        claims="<results>/claims.csv",
        # The last that is computed: all seconds are known then.
        forests=[f"<figures>/{paper}/verdicts.svg" for paper in config["papers"]],
        step="workflow/scripts/ledger/record_provenance.py",
        code=imports("workflow/scripts/ledger/record_provenance.py"),
    output:
        ensure("<results>/provenance.json", non_empty=True),
    log:
        "<results>/logs/record_provenance.log",
    localrule: True
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        usage=usage("<results>/benchmarks/record_provenance.jsonl"),
        results=subpath(input.claims, parent=True),
        scale=config["scale"],
        seed=config["seed"],
    message:
        "Recording versions, machine and code revision"
    shell:
        "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output:q} --results {params.results:q}"
        " --scale {params.scale} --seed {params.seed} > {log:q} 2>&1"


rule ledger:
    input:
        claims="<results>/claims.csv",
        provenance="<results>/provenance.json",
        signs=[
            f"workflow/studies/{paper}/{study}.yaml"
            for paper in config["papers"]
            for study in STUDIES[paper]
        ],
        figures=[
            f"<figures>/{paper}/{study}.{suffix}"
            for paper in config["papers"]
            for study in [*STUDIES[paper], "verdicts"]
            for suffix in ("svg", "csv")
        ],
        templates=[
            f"workflow/report/ledger/{name}"
            for name in ("index.html.j2", "report.rst.j2", "ledger.css", "ledger.js")
        ],
        citation="CITATION.cff",
        committed=["docs/claims.csv"] if Path("docs/claims.csv").exists() else [],
        step="workflow/scripts/ledger/write_ledger.py",
        code=imports("workflow/scripts/ledger/write_ledger.py"),
    output:
        page=ensure("<results>/ledger/index.html", non_empty=True),
        archive=ensure("<results>/ledger.zip", non_empty=True),
        report=ensure("<results>/report.rst", non_empty=True),
    log:
        "<results>/logs/ledger.log",
    localrule: True
    conda:
        "../../envs/studies.yaml"
    threads: 1
    params:
        usage=usage("<results>/benchmarks/ledger.jsonl"),
        results=subpath(input.claims, parent=True),
        figures=lambda wildcards: workflow.pathvars.apply("<figures>"),
        committed=lambda wildcards, input: reads(
            {"committed": input.committed} if input.committed else {}
        ),
    message:
        "Writing the ledger: every theorem, picture and verdict on one page"
    shell:
        "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output.page:q} {output.archive:q} {output.report:q}"
        " --results {params.results:q} --figures {params.figures:q} --signs {input.signs:q}"
        " {params.committed} > {log:q} 2>&1"


# All that the studies read and what they said, in one file: see workflow/redraw.py.
EVIDENCE = [
    *verdicts_of(config["papers"]),
    *(
        table
        for paper in config["papers"]
        for study in STUDIES[paper]
        for table in tables_read(paper, study)
    ),
    "<results>/claims.csv",
    "<results>/provenance.json",
    *(f"<results>/{folder}data/source.json" for folder in ["", *(f"{name}/" for name in REPLICAS)]),
]


rule evidence:
    input:
        files=list(dict.fromkeys(EVIDENCE)),
        step="workflow/scripts/ledger/pack_evidence.py",
        code=imports("workflow/scripts/ledger/pack_evidence.py"),
    output:
        ensure("<results>/evidence.zip", non_empty=True),
    log:
        "<results>/logs/evidence.log",
    localrule: True
    conda:
        "../../envs/studies.yaml"
    threads: 1
    params:
        usage=usage("<results>/benchmarks/evidence.jsonl"),
        results=lambda wildcards: workflow.pathvars.apply("<results>"),
    message:
        "Packing the tables behind all figures and verdicts"
    shell:
        "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output:q} {input.files:q} --results {params.results:q}"
        " 2>&1 | tee {log:q}"


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
