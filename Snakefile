import contextlib
import html
import os
import re
import shlex
import sys
import time
from pathlib import Path

from snakemake.utils import min_version

# The workflow's own modules, also when snakemake is started from elsewhere.
sys.path[:0] = [str(Path(workflow.basedir)), str(Path(workflow.basedir, "src"))]
from cnntheory import images
from workflow import launch
from workflow.closure import imports, versions
from workflow.configuration import (
    SMALL_REMINDER,
    check,
    dataset_files,
    examination,
    examined,
    flags,
    reads,
    replicas,
    request,
    section,
    stand_in,
    studies,
    tables_of,
)
from workflow.integrity import remove_damaged
from workflow.scripts.ledger import console
from workflow.scripts.ledger.theorem import to_html

min_version("9.20")

# To see whether one of our parameters, all words, is a table, Snakemake would import pandas, also
# where there is nothing to do.
with contextlib.suppress(ImportError, AttributeError):  # no promise of Snakemake's
    from snakemake.persistence import PersistenceBase

    PersistenceBase._serialize_param = PersistenceBase._serialize_param_builtin

BEGUN = time.time()

if not Path.cwd().samefile(workflow.basedir):
    sys.exit(
        f"cnntheory runs in its own folder: cd {shlex.quote(str(workflow.basedir))} and start "
        "snakemake there, without --directory; pathvars in a --configfile say where results go"
    )


configfile: "config/config.yaml"


check(config)

# Steps run with the interpreter beside this snakemake, whether or not its environment is activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))
# A job that a cluster runs, by a Snakemake of its own, has nothing to do with the run's server.
if not workflow.is_main_process:
    os.environ.pop(launch.FORKS, None)


pathvars:
    figures="figures",


# Paper to study to its room sign, workflow/studies/<paper>/<study>.yaml.
STUDIES = studies()

# Data sets beside the main one, on which the claims about images are judged once more.
REPLICAS = replicas(config, workflow.pathvars.apply("<results>"))


wildcard_constraints:
    paper="|".join(STUDIES),


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/du2018.smk"
include: "workflow/rules/zhong2017.smk"
include: "workflow/rules/ergen2021.smk"
include: "workflow/rules/allenzhu2019.smk"
include: "workflow/rules/together.smk"
include: "workflow/rules/steps.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/ledger.smk"
include: "workflow/rules/examine.smk"


# What came out, on the first page of `snakemake --report`: there once the ledger is written.
if Path(workflow.pathvars.apply("<results>/report.rst")).exists():

    report: Path(workflow.pathvars.apply("<results>/report.rst")).absolute().as_posix()


rule all:
    default_target: True
    input:
        [results_of(paper) for paper in config["papers"]],
        "<results>/claims.csv",
        "<results>/provenance.json",
        "<results>/ledger/index.html",
    localrule: True
    message:
        "All figures, tables and verdicts are up to date."


for paper in STUDIES:

    rule:
        name:
            paper
        input:
            results_of(paper),
        localrule: True
        message:
            "Figures, tables and verdicts of one paper are up to date."


onstart:
    # With a limit of jobs a second, which is the default, every pass of Snakemake's scheduler plans
    # another pass a second later: after some hundred jobs the passes take a core.
    workflow.scheduler.job_rate_limiter = None
    expected = console.estimate(
        [
            job.params.usage
            for job in workflow.dag.needrun_jobs()
            if "usage" in job.params.keys()
        ],
        workflow.cores or 1,
        "docs/durations.json" if config["scale"] == "standard" else None,
    )
    if expected:
        print(expected)
    launch.start()


onsuccess:
    page = Path(workflow.pathvars.apply("<results>/ledger/index.html"))
    if page.exists() and page.stat().st_mtime >= BEGUN:
        claims = workflow.pathvars.apply("<results>/claims.csv")
        print(console.came_out(claims, page, time.time() - BEGUN))
    if stand_in(workflow.pathvars.apply("<results>/data/source.json")):
        print(SMALL_REMINDER)
