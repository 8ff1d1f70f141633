# A rule for every step that the papers' files declare.

# Those of a case are exactly the cases of the configuration: nothing else is touched.
heal(
    path.replace("{case}", case)
    for step in STEPS
    for path in map(str, step["output"].values())
    for case in step["constraints"].get("case", "").split("|")
    if "{" not in path.replace("{case}", case)
)

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
        wildcard_constraints:
            **step["constraints"],
        priority: step["priority"]
        conda:
            "../../envs/compute.yaml"
        threads: 1
        resources:
            gpu=step["gpu"],
        params:
            usage=step["usage"],
            files=step["files"],
            options=step["options"],
            versions=step["versions"],
        message:
            step["message"]
        shell:
            "PYTHONPATH=src:. python workflow/launch.py {params.usage:q} {input.step} {output:q} {params.files} {params.options} > {log:q} 2>&1"
