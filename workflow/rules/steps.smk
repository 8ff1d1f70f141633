# A rule for every step that the papers' files declare.

for step in STEPS:

    rule:
        name:
            step["rule"]
        input:
            **step["input"],
        output:
            **step["output"],
        log:
            step["log"],
        benchmark:
            step["benchmark"]
        wildcard_constraints:
            **step["constraints"],
        priority: step["priority"]
        conda:
            "../../envs/compute.yaml"
        threads: 1
        params:
            command=step["command"],
        message:
            step["message"]
        shell:
            "PYTHONPATH=src:. python {input.step} {output:q} {params.command} > {log:q} 2>&1"
