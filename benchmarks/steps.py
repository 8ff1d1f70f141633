"""Where the most expensive steps of the last run spend their time, by samples of their stacks.

Takes the steps of most CPU seconds of ``results/benchmarks``, begins each again under py-spy with
its tables in a folder of its own, and sorts the samples by the function that they were in.
"""

import collections
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from paired import say

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
STEPS = 10
RATE, SECONDS = 50, 40  # samples a second; of how much of a step
# What a sample's innermost function, with its file, is counted as: the first that fits.
KINDS = {
    "matrix products": r"(?i)gemm|gemv|syrk|symm|trmm|trsm|ger_k|dot_k|_kernel_\dx\d",
    "other linear algebra": r"(?i)lapack|openblas|mkl_",
    "draws": r"(?i)random|pcg64|philox|ziggurat|mt19937|normal_fill",
    "elements": r"at::|c10::function_ref|_umath|ufuncs|mem(cpy|set|move)|libc\.so|libtorch|sleef",
    "interpreter": r"libpython|\.py:|<frozen|\.pyx|_lib\b|\.cpython",
}


def commands():
    """Usage file of every step to its command line: the script, then its words."""
    done = subprocess.run(
        [BIN / "snakemake", "--cores", "1", "--dry-run", "--printshellcmds", "--forceall"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"python workflow/launch\.py (\S+) (.+?)(?: > | 2>&1)", done.stdout)
    return {usage: shlex.split(words) for usage, words in found}


def elsewhere(words, folder):
    """The command with its tables in another folder: they stand before the first option."""
    script, *rest = words
    end = next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))
    return [script, *(str(folder / Path(table).name) for table in rest[:end]), *rest[end:]]


def profile(words):
    """Samples by kind, and by the function of the project that they were under."""
    with tempfile.TemporaryDirectory() as place:
        raw = Path(place, "raw")
        spy = [BIN / "py-spy", "record", "--native", "--format", "raw"]
        spy += ["--rate", str(RATE), "--duration", str(SECONDS)]
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        subprocess.run(
            [*spy, "--output", raw, "--", sys.executable, *elsewhere(words, Path(place))],
            cwd=ROOT,
            env=os.environ | threads | {"PYTHONPATH": "src:."},
            capture_output=True,
            check=True,
        )
        return sort(raw.read_text())


def sort(raw):
    """Samples by kind and by function, from stacks one a line: ``outer;..;inner count``."""
    kinds, ours = collections.Counter(), collections.Counter()
    for stack, count in re.findall(r"^(.+) (\d+)$", raw, re.M):
        frames = stack.split(";")
        fits = (kind for kind, words in KINDS.items() if re.search(words, frames[-1]))
        kinds[next(fits, "else")] += int(count)
        found = [frame for frame in frames if "cnntheory/" in frame or "scripts/" in frame]
        ours[found[-1].split(" ")[0] if found else "imports"] += int(count)
    return kinds, ours


def shares():
    """A row a step: CPU seconds in the run, and the share of each kind of work."""
    known = commands()
    taken = {usage: json.loads((ROOT / usage).read_text())["cpu_time"] for usage in known}
    rows = []
    for usage in sorted(taken, key=taken.get, reverse=True)[:STEPS]:
        kinds, ours = profile(known[usage])
        function, most = ours.most_common(1)[0]
        total = sum(kinds.values())
        name = usage.removeprefix("results/").replace("benchmarks/", "").removesuffix(".jsonl")
        rows.append(
            {"step": name, "CPU [s]": taken[usage]}
            | {kind: kinds[kind] / total for kind in [*KINDS, "else"]}
            | {"most under": function, "share": most / total}
        )
        say(rows[-1])
    return pd.DataFrame(rows)
