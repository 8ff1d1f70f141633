"""What the pipeline costs beside its steps: nothing to do, one paper at the quick scale."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from paired import paired, row

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = (".git", ".venv", ".snakemake", "results", "*cache*", "*.log")
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
# After the targets, which they would take for theirs.
OPTIONS = ("--cores", "2", "--quiet", "all")
EMPTY = "rule all:\n"


def run(folder, *words):
    """A run that must succeed; threads are Snakemake's own."""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    subprocess.run(
        [SNAKEMAKE, *words, *OPTIONS], cwd=folder, env=env, check=True, capture_output=True
    )


def comparisons(repeats):
    """Rows of the table; the ratio of nothing to do has no bar but half a second more."""
    with tempfile.TemporaryDirectory() as place:
        tree, empty = Path(place, "tree"), Path(place, "empty")
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        empty.mkdir()
        (empty / "Snakefile").write_text(EMPTY)
        quick = ("du2018", "--configfile", "config/quick.yaml")
        first, _ = paired({"library": lambda: run(tree, *quick)}, 1)
        seconds, _ = paired(
            {"library": lambda: run(tree, *quick), "an empty Snakefile": lambda: run(empty)},
            repeats,
        )
        more = seconds["library"] - seconds["an empty Snakefile"]
        met = "met" if sorted(more)[len(more) // 2] <= 0.5 else "not met"
        said = f"{min(more):.1f} to {max(more):.1f} s more (bar 0.5 s: {met})"
        yield row("nothing to do", "du2018, quick", seconds, "an empty Snakefile", None, said)
        first["45 s"] = np.array([45.0])
        yield row("the quick run", "du2018, two cores", first, "45 s", 1, "a bar, no peer")
