"""Record what a run was made with: versions, machine, code revision, seconds and memory.

Everything that may differ between two runs of equal results stands here and in the files of
``benchmarks/`` that `workflow/launch.py` writes, nowhere else.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path

from cnntheory import images
from workflow.scripts import step
from workflow.scripts.ledger import console

PACKAGES = (
    "cnntheory",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "seaborn",
    "snakemake",
    "torch",
)


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def git(*words):
    """Output of a git command, None outside a repository or without git."""
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def jobs(results):
    """Seconds and peak memory of each job, as `workflow/launch.py` wrote them."""
    found = {}
    for folder in (results, *(results / dataset for dataset in images.KNOWN)):
        for path in sorted((folder / "benchmarks").rglob("*.jsonl")):
            lines = path.read_text().splitlines()
            if lines:
                job = json.loads(lines[-1])
                about = {"seconds": job.get("s"), "peak_memory_mib": job.get("max_rss")}
                found[console.job_name(path)] = about
    return found


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("provenance", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--seed", type=int, required=True, help="base seed")
    args = parser.parse_args()
    changes = git("status", "--porcelain", "--untracked-files=no")
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "scale": args.scale,
        "seed": args.seed,
        "revision": git("rev-parse", "HEAD"),
        "modified": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "packages": {package: version(package) for package in PACKAGES},
        "jobs": jobs(args.results),
    }
    with step.replacing(args.provenance) as part:
        part.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    step.guarded(run)
