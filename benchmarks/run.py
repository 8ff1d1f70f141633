"""The library beside its peers, one thread: `make bench`.

Writes ``benchmarks/results.csv``, ``benchmarks/growth.csv``, and from them ``docs/benchmarks.md``
and ``docs/growth.svg``. For a machine that does nothing else, with ``MNIST_DIR`` set. A part alone
(``--only zhong2017``) takes the place of its earlier rows. ``--only steps`` needs what `make
figures` has made: it says where its most expensive steps spend their time.
"""


# isort: split

import argparse
import datetime
import importlib
import importlib.metadata
import platform
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from paired import say
from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("allenzhu2019", "zhong2017", "ergen2021", "pipeline")
PACKAGES = ("numpy", "scipy", "torch", "cvxpy", "qoco", "clarabel", "tensorly")
RESULTS, GROWTH = ROOT / "benchmarks/results.csv", ROOT / "benchmarks/growth.csv"
STEPS = ROOT / "benchmarks/steps.csv"
PAGE = """# Beside its peers

What `make bench` measured, one thread for all sides, {machine}; Python {python}, {packages}. The
ways run in turn; a ratio is the peer's seconds over the library's, the median over the pairs (least
to largest). A *bar* is how many times as fast the library is to be: {met}. The last column says by
what both sides did the same work.

{table}

## Growth

Seconds of three runs, the least, and the memory that they take beside their inputs; exponents are
slopes over the larger sizes. A claimed exponent is that of the paper's bound, or of what must be
read.

![Seconds by size, on log axes](growth.svg)

{growth}
"""
STEPS_PAGE = """
## The most expensive steps

CPU seconds in the standard run, and the share of each kind of work by samples of the stack in the
first forty seconds of each ({python}, py-spy). What is not in matrix products cannot be won by
faster ones. *Elements* are loops over elements, copies and memory; the last columns name the
function of ours that most samples were under.

{table}
"""


def processor():
    """Processor and number of cores, as the system names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def measure(part, repeats):
    """The table with the rows of a part measured anew; written and printed row by row."""
    rows = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame({"part": []})
    rows = rows[rows.part != part]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    for line in importlib.import_module(part).comparisons(repeats):
        say(line)
        rows = pd.concat([rows, pd.DataFrame([line | {"part": part, "date": today}])])
        rows.to_csv(RESULTS, index=False, float_format="%.5g")


def draw(growth, path):
    """One panel for each work: seconds by what grows, the claimed slope dashed."""
    works = list(dict.fromkeys(growth.work))
    fig, axes = plt.subplots(1, len(works), figsize=(2.3 * len(works), 2.6), layout="constrained")
    for axis, work in zip(axes, works, strict=True):
        for marker, (grows, part) in zip(
            "os^D", growth[growth.work == work].groupby("grows", sort=False), strict=False
        ):
            slope, claimed = part.exponent.iloc[0], part.claimed.iloc[0]
            scaled = part.value / part.value.iloc[0]
            (line,) = axis.loglog(
                scaled, part.seconds, marker=marker, label=f"{grows}: {slope:.2f}"
            )
            if np.isfinite(claimed):
                end = part.seconds.iloc[-1] * (scaled / scaled.iloc[-1]) ** claimed
                axis.loglog(scaled, end, "--", color=line.get_color(), linewidth=0.8, alpha=0.8)
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("")
        axis.set(title=work, xlabel="size over the least")
        axis.legend(fontsize=7, title="exponent", title_fontsize=7)
        axis.title.set_fontsize(7)
    axes[0].set_ylabel("seconds (dashed: claimed)")
    fig.savefig(path, metadata={"Date": None})
    plt.close(fig)


def steps_page(steps):
    """The section about the steps."""
    shares = {name: "{:.0%}".format for name in steps if steps[name].dtype == float}
    shares["CPU [s]"] = "{:.0f}".format
    table = steps.assign(**{name: steps[name].map(form) for name, form in shares.items()})
    return STEPS_PAGE.format(
        python=f"Python {platform.python_version()}",
        table=tabulate(table, headers="keys", tablefmt="pipe", showindex=False),
    )


def page(rows, growth):
    """docs/benchmarks.md but for the section about the steps."""
    missed = rows[rows.met == "no"]
    met = f"{(rows.met == 'yes').sum()} of {rows.bar.notna().sum()} are met"
    if len(missed):
        met += "; not: " + "; ".join(
            f"{r.work} beside {r.peer}, {r.size_}"
            for r in missed.rename(columns={"size": "size_"}).itertuples()
        )
    ratio = [
        f"{r:.3g} ({low:.3g} to {high:.3g})"
        for r, low, high in rows[["ratio", "least", "largest"]].to_numpy()
    ]
    table = rows.assign(ratio=ratio).drop(columns=["least", "largest", "part"]).fillna("")
    sums = (
        growth.groupby(["work", "grows"], sort=False)
        .agg(
            sizes=("value", lambda v: f"{v.min()} to {v.max()}"),
            seconds=("seconds", lambda v: f"{v.min():.2g} to {v.max():.2g}"),
            exponent=("exponent", "first"),
            memory=("exponent of memory", "first"),
            claimed=("claimed", "first"),
            by=("by", "first"),
        )
        .reset_index()
        .rename(columns={"memory": "exponent of memory"})
        .fillna("")
    )
    options = {"headers": "keys", "tablefmt": "pipe", "showindex": False, "floatfmt": ".3g"}
    return PAGE.format(
        machine=processor(),
        python=platform.python_version(),
        packages=", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        met=met,
        table=tabulate(table, **options),
        growth=tabulate(sums, **options),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="pairs")
    usual = (*PARTS, "growth")
    parser.add_argument("--only", choices=(*usual, "steps"), nargs="+", default=usual)
    args = parser.parse_args()
    # Growth first: it measures forks, which would fill what others have left before they take more.
    for part in sorted(args.only, key=lambda name: name != "growth"):
        if part == "growth":
            importlib.import_module(part).curves().to_csv(GROWTH, index=False, float_format="%.5g")
        elif part == "steps":
            importlib.import_module(part).shares().to_csv(STEPS, index=False, float_format="%.4g")
        else:
            measure(part, args.repeats)
    if RESULTS.exists() and GROWTH.exists():
        growth = pd.read_csv(GROWTH)
        draw(growth, ROOT / "docs/growth.svg")
        text = page(pd.read_csv(RESULTS), growth)
        if STEPS.exists():
            text += steps_page(pd.read_csv(STEPS))
        (ROOT / "docs/benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
