# What follows from the name of a step, and so is written once: its command line, its log, where its
# seconds go, its environment, and the code that it depends on. The papers' files declare the steps,
# steps.smk makes rules of them.

STEPS = []


def declare(
    paper,
    name,
    message,
    output,
    *,
    input=(),
    options=(),
    as_rule=None,
    seeded=True,
    priority=0,
    replicate=False,
):
    """Declare a step: what it reads, what it writes, and what it is asked.

    Parameters
    ----------
    paper, name : str
        The step is ``workflow/scripts/<paper>/<name>.py``, its options are the section
        ``<paper>: <name>`` of the configuration; with a wildcard {case}, which is an option too,
        the section's part of that name over what all cases have in `common`.
    message : str
        What is being done, for the console.
    output : str or dict of str
        Files to write; several in the order and by the names that the step gives them.
    input : dict of str
        Files to read, by the step's names for them.
    options : dict, optional
        Options that are no keys of the section: text in which wildcards are filled in, or a
        function of the wildcards.
    as_rule : str, optional
        Name of the rule, where another paper has a step of the same name.
    seeded : bool
        Whether the step draws anything.
    priority : int
        Longest jobs first, so that no core waits for them at the end.
    replicate : bool or list of str
        Whether the step, or which of its cases, is done on further data sets too: the same step
        with ``<results>/<data set>/`` for ``<results>/`` in all its paths.
    """
    label = as_rule or name
    script = f"workflow/scripts/{paper}/{name}.py"
    output = {"table": output} if isinstance(output, str) else output
    wildcards = sorted(set(re.findall(r"{(\w+)}", " ".join(output.values()))))
    job = "_".join([label, *(f"{{{wildcard}}}" for wildcard in wildcards)])
    files, extra = dict(input), dict(options)
    cases = [case for case in config[paper].get(name, {}) if case != "common"]

    # Of the wildcards alone: what depends on inputs too Snakemake does not record, and a changed
    # option would run nothing again.
    def asks(wildcards):
        asked = {"seed": config["seed"]} if seeded else {}
        case = wildcards.get("case")
        asked |= section(config, paper, name, case) | {"case": case}
        for key, value in extra.items():
            asked[key] = value(wildcards) if callable(value) else value.format(**wildcards)
        return flags(**asked)

    def named(wildcards, input):
        return reads({key: input[key] for key in files})

    def step(name, folder, message, cases):
        def there(path):
            if isinstance(path, str):
                return path.replace("<results>/", folder)
            return path if callable(path) else [there(part) for part in path]

        return {
            "rule": name,
            "input": {key: there(path) for key, path in files.items()}
            | {"step": script, "code": imports(script)},
            "output": {key: ensure(there(path), non_empty=True) for key, path in output.items()},
            "log": there(f"<results>/logs/{paper}/{job}.log"),
            "usage": usage(there(f"<results>/benchmarks/{paper}/{job}.jsonl")),
            "constraints": {"case": "|".join(cases)} if "case" in wildcards else {},
            "files": named,
            "options": asks,
            "versions": versions(script),
            "message": message,
            "priority": priority,
            # A cluster is asked for a GPU by the steps that can use one.
            "gpu": int("device" in extra and str(config["device"]).startswith("cuda")),
        }

    STEPS.append(step(label, "<results>/", message, cases))
    for dataset in REPLICAS if replicate else ():
        again = cases if replicate is True else replicate
        told = f"{message} ({images.KNOWN[dataset].label})"
        STEPS.append(step(replica_of(label, dataset), f"<results>/{dataset}/", told, again))


def usage(path):
    """Where `workflow/launch.py` writes a job's seconds and memory.

    Not by ``benchmark:``, which looks at each job's processes again and again.
    """
    return workflow.pathvars.apply(path)


def replica_of(rule, dataset):
    """Name of a rule's repetition on another data set."""
    return f"{rule}_{dataset.replace('-', '_')}"


def sign(wildcards):
    """Room sign of the study that a job is about."""
    return STUDIES[wildcards.paper][wildcards.study]


def caption(sign):
    """A study in words for Snakemake's report: one line of HTML, since formulas are MathML."""
    words = {
        key: html.escape(" ".join(sign[key].split())) for key in ("question", "plain", "caption")
    }
    theorem = f"<p>{to_html(sign['theorem'])}</p>" if sign.get("theorem") else ""
    claims = "".join(
        f"<li>{claim['id']}: {html.escape(' '.join(claim['statement'].split()))}</li>"
        for claim in sign.get("claims", [])
    )
    listed = f"<ul>{claims}</ul>" if claims else ""
    head = f"<p><strong>{words['question']}</strong></p>"
    return f"{head}{theorem}<p>{words['plain']}</p><p>{words['caption']}</p>{listed}"


def verdicts_of(papers):
    """The verdicts of every study of some papers."""
    return [
        f"<results>/{paper}/verdicts/{study}.json" for paper in papers for study in STUDIES[paper]
    ]


def tables_read(paper, study):
    """The tables that a study reads, those of further data sets included."""
    folders = {"<results>": ("tables", "timings")}
    folders |= {f"<results>/{dataset}": ["replicate"] for dataset in REPLICAS}
    return [
        f"{folder}/{paper}/{table}.parquet"
        for folder, keys in folders.items()
        for table in tables_of(STUDIES[paper][study], keys)
    ]


def results_of(paper):
    """What `snakemake <paper>` makes: a figure and the verdicts of every study, and of all at once.

    And every table that is gone while its study's verdicts are there: nobody needs it, so Snakemake
    by itself would not make it again.
    """

    def there(path):
        return Path(workflow.pathvars.apply(path)).exists()

    gone = {
        table: None  # in their order
        for study, verdicts in zip(STUDIES[paper], verdicts_of([paper]))
        if there(verdicts)
        for table in tables_read(paper, study)
        if not there(table)
    }
    figures = [f"<figures>/{paper}/{study}.svg" for study in [*STUDIES[paper], "verdicts"]]
    return figures + verdicts_of([paper]) + list(gone)


def heal(paths):
    """Remove what is damaged among results, so that it is made again.

    A job's process leaves all as it is: what it sees half may be what another is writing.
    """
    if workflow.is_main_process:
        remove_damaged(workflow.pathvars.apply(path) for path in paths)
