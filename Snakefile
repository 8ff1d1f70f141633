import os
import sys
from pathlib import Path

import yaml
from snakemake.utils import min_version, validate

# The workflow's own modules, also when snakemake is started from elsewhere.
sys.path[:0] = [str(Path(workflow.basedir)), str(Path(workflow.basedir, "src"))]
from workflow.closure import imports
from workflow.configuration import STAND_IN, dataset_files, flags, request, stand_in

min_version("9.20")


configfile: "config/config.yaml"


validate(config, "workflow/schemas/config.schema.yaml")

# Steps run with the interpreter beside this snakemake, whether or not its environment is activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))


pathvars:
    figures="figures",


# Each paper's rules add its figures and the tables that each one reads.
FIGURES = {}


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/du2018.smk"
include: "workflow/rules/zhong2017.smk"
include: "workflow/rules/ergen2021.smk"
include: "workflow/rules/allenzhu2019.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/ledger.smk"


wildcard_constraints:
    paper="|".join(FIGURES),


rule all:
    default_target: True
    input:
        [results_of(paper) for paper in config["papers"]],
        "<results>/claims.csv",
        "<results>/provenance.json",
    localrule: True
    message:
        "All figures, tables and verdicts are up to date."


onsuccess:
    if stand_in(workflow.pathvars.apply("<results>/data/source.json")):
        print(STAND_IN)
