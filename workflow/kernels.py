"""Run the pipeline again under other BLAS kernels and instruction sets; compare the verdicts.

    python -m workflow.kernels --cores 2                      # every paper (make kernels)
    python -m workflow.kernels ergen2021 du2018/stream        # a paper, a study

What `snakemake` has made is the baseline; each combination's results go to a folder of their own
inside it. Prints every verdict that changes and how far the measured numbers move; exits 1 where a
verdict changes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml
from tabulate import tabulate

from workflow.closure import ROOT
from workflow.configuration import studies

# The oldest kernels everywhere, and another generation than the processor's own: the first of these
# that it can run and would not take by itself. ATen's switch does not reach MKL.
OLDEST = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
}
OTHERS = ("SkylakeX", "Haswell", "Sandybridge")
PROBE = """
import numpy as np, threadpoolctl
np.ones((99, 99)) @ np.ones((99, 99))
blas = (part for part in threadpoolctl.threadpool_info() if part["user_api"] == "blas")
print(*(part["architecture"] for part in blas))
"""


def architecture(**variables):
    """Kernels that NumPy's BLAS takes under some environment; None where they cannot be run."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() if done.returncode == 0 else None


def combinations():
    """Name to environment of the kernels to compare with the processor's own."""
    found, own = {"oldest": OLDEST}, architecture()
    for name in OTHERS:
        if architecture(OPENBLAS_CORETYPE=name) not in (None, own):
            return found | {name: {"OPENBLAS_CORETYPE": name}}
    return found


def compare(base, other):
    """Compare two lists of verdict rows.

    Parameters
    ----------
    base, other : list of dict
        Rows of the same claims, see `workflow.studies.verdicts`.

    Returns
    -------
    DataFrame
        A row a claim: verdicts, measured numbers, their relative change, and whether the second
        number lies within the first's interval (None where there is no interval).
    """
    keys = ["paper", "study", "id", "data"]
    columns = [*keys, "measured", "ci_low", "ci_high", "verdict"]
    first, second = (pd.DataFrame(rows, columns=columns) for rows in (base, other))
    both = first.merge(second, on=keys, how="outer", suffixes=("", "_other"), validate="1:1")
    numbers = ["measured", "ci_low", "ci_high", "measured_other"]
    both[numbers] = both[numbers].astype(float)
    both["changed"] = both.verdict != both.verdict_other
    scale = both.measured.abs().where(both.measured != 0, both.measured_other.abs())
    moved = (both.measured_other - both.measured).abs()
    both["relative"] = (moved / scale).where(moved > 0, 0.0)
    inside = both.measured_other.between(both.ci_low, both.ci_high)
    both["inside"] = inside.astype(object).where(both.ci_low.notna(), None)
    return both


def report(table, name, most=12):
    """What changed, in words: the verdicts, and the numbers that moved most."""
    changed = table[table.changed]
    lines = [f"{name}: {len(table)} verdicts, {len(changed)} changed"]
    shown = ["paper", "id", "data", "verdict", "verdict_other", "measured", "measured_other"]
    if len(changed):
        lines.append(tabulate(changed[shown], headers="keys", showindex=False))
    moved = table[table.relative > 0].sort_values("relative", ascending=False)
    outside = table.inside.eq(False).sum()  # None is neither
    lines.append(f"{len(moved)} measured numbers moved, {outside} of them out of their interval")
    told = ["paper", "id", "data", "measured", "measured_other", "relative", "inside"]
    if len(moved):
        lines[-1] += "; most:"
        lines.append(tabulate(moved[told].head(most), headers="keys", showindex=False))
    return "\n".join(lines)


def targets(words, results):
    """Verdict files of papers and studies that are named ``paper`` or ``paper/study``."""
    known = studies()
    found = []
    for word in words:
        paper, _, study = word.partition("/")
        if paper not in known or (study and study not in known[paper]):
            raise SystemExit(f"{word}: expected a paper or a study, e.g. ergen2021 or du2018/fig4")
        names = [study] if study else known[paper]
        found += [f"{results}/{paper}/verdicts/{name}.json" for name in names]
    return found


def snakemake(
    words, results, cores, *, config=(), configfiles=(), options=(), more=(), variables=()
):
    """Make the verdicts of papers and studies below a folder; end the run where Snakemake fails.

    Parameters
    ----------
    words : list of str
        See `targets`.
    results : str
    cores : str
    config : dict, optional
        Configuration that is added to that of `configfiles`.
    configfiles, options, more : list of str, optional
        Files, options and further targets for the command line.
    variables : dict, optional
        Environment variables.

    Returns
    -------
    list of dict
        The verdicts' rows.
    """
    wanted = targets(words, results)
    folders = {"pathvars": {"results": results, "figures": f"{results}/figures"}}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(config) | folders, file)
        file.flush()
        command = [sys.executable, "-m", "snakemake", *wanted, *more, "--cores", cores]
        command += ["--quiet", "rules", *options, "--configfile", *configfiles, file.name]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | dict(variables))
    if done.returncode:
        sys.exit(done.returncode)
    return [row for path in wanted for row in json.loads(Path(ROOT, path).read_text())]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", default=list(studies()), help="papers, paper/study")
    parser.add_argument("--cores", default="all")
    parser.add_argument("--configfile", nargs="*", default=[], help="as snakemake's")
    args = parser.parse_args()
    # The baseline lies where the configuration says.
    results = "results"
    for path in args.configfile:
        given = yaml.safe_load(Path(path).read_text())
        results = given.get("pathvars", {}).get("results", results)

    def made(results, variables):
        files = args.configfile
        return snakemake(args.what, results, args.cores, configfiles=files, variables=variables)

    base = made(results, {})
    good = True
    for name, variables in combinations().items():
        print(f"{name}: {' '.join(f'{key}={value}' for key, value in variables.items())}")
        folder = f"{results}/kernels/{name}"
        other = made(folder, variables)
        table = compare(base, other)
        Path(ROOT, folder).mkdir(parents=True, exist_ok=True)
        table.to_csv(Path(ROOT, folder, "compared.csv"), index=False)
        print(report(table, name))
        good &= not table.changed.any()
    sys.exit(not good)


if __name__ == "__main__":
    main()
