"""What a run says on the console: how long it will take, and in the end what came out."""

import csv
import json
from collections import Counter
from pathlib import Path

from cnntheory import images

MOST = 10  # verdicts that are named


def duration(seconds):
    """``1 h 12 min``, ``3 min`` or ``40 s``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def job_name(benchmark):
    """``du2018/studies/rate`` for ``results/benchmarks/du2018/studies/rate.jsonl``.

    The jobs of a further data set have its name in front, ``fashion-mnist/du2018/...``.
    """
    before, _, name = Path(benchmark).with_suffix("").as_posix().rpartition("benchmarks/")
    dataset = Path(before).name
    return f"{dataset}/{name}" if dataset in images.KNOWN else name


def seconds_taken(benchmark):
    """Seconds that a job took when it ran last, None where nothing is recorded."""
    try:
        return json.loads(Path(benchmark).read_text().splitlines()[-1])["s"]
    except (OSError, ValueError, LookupError):
        return None


def estimate(benchmarks, cores, committed=None):
    """What to expect of a run, from what its jobs took before.

    Parameters
    ----------
    benchmarks : list of path
        Benchmark files of the jobs that will run.
    cores : int
    committed : path, optional
        Job to seconds in the run that the repository keeps, JSON, for jobs that never ran here.

    Returns
    -------
    str or None
        A line; None where too few durations are recorded.
    """
    known = {}
    if committed and Path(committed).exists():
        known = json.loads(Path(committed).read_text())
    taken = [seconds_taken(path) or known.get(job_name(path)) for path in benchmarks]
    found = [seconds for seconds in taken if seconds]
    if not found or len(found) < len(taken) / 2:
        return None
    # What is not recorded takes what jobs take on average; no run is shorter than its longest job.
    seconds = max(sum(found) * len(taken) / len(found) / cores, *found)
    shared = f" on {cores} cores" if cores > 1 else ""
    return f"This run will take about {duration(seconds)}{shared}, by what its jobs took before."


def came_out(claims, page, seconds):
    """What a run found, where to look, and how long it took.

    Parameters
    ----------
    claims : path
        The verdicts, ``claims.csv``.
    page : path
        The ledger.
    seconds : float

    Returns
    -------
    str
        Two lines.
    """
    with open(claims, newline="") as file:
        rows = list(csv.DictReader(file))
    found = Counter(row["verdict"] for row in rows)
    counts = f"{found['holds']} hold, {found['fails']} fail, {found['inconclusive']} inconclusive"
    differ = [row for row in rows if row["verdict"] != row["expected"]]
    names = [f"{row['paper']} {row['id']} {row['verdict']} ({row['data']})" for row in differ]
    if len(names) > MOST:
        names[MOST:] = [f"and {len(names) - MOST} more"]
    scales = {row["scale"] for row in rows} - {"standard"}
    if not differ:
        said = "all as expected"
    elif scales:
        said = f"{len(differ)} not as expected, but scale {', '.join(scales)} decides no claim"
    else:
        said = f"{len(differ)} not as expected: {', '.join(names)}"
    end = f"Look at {page}; this run took {duration(seconds)}."
    return f"{len(rows)} verdicts ({counts}), {said}.\n{end}"
