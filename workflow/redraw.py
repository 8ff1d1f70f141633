"""Judge and draw again from the tables of an evidence pack, without computing them.

    python -m workflow.redraw results/evidence.zip                  # every paper (make redraw)
    python -m workflow.redraw evidence.zip du2018 ergen2021/toy     # a paper, a study

What is unpacked, the figures and the verdicts go to a folder of their own, ``results/redrawn``
unless named. Compares the verdicts with those of the pack; exits 1 where one differs.
"""

import argparse
import sys
from pathlib import Path

from cnntheory import images
from workflow import kernels
from workflow.closure import ROOT
from workflow.scripts import step
from workflow.scripts.ledger.archive import SUMS, unpack
from workflow.scripts.ledger.write_ledger import read_claims

RULES = ("study", "forest")  # what may run: nothing that computes


def configuration(folder):
    """The part of a run's configuration that studies depend on, from what was unpacked."""
    made = step.read_json(folder / "provenance.json")
    return {
        "scale": made["scale"],
        "seed": made["seed"],
        "replicate": [name for name in images.KNOWN if (folder / name).is_dir()],
    }


def redraw(words, folder, cores):
    """Make figures and verdicts of papers and studies from the tables in `folder`; their rows."""
    return kernels.snakemake(
        words,
        str(folder),
        cores,
        config=configuration(folder),
        options=["--allowed-rules", *RULES, "--force"],
        more=[f"{folder}/figures/{word}/verdicts.svg" for word in words if "/" not in word],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("evidence", type=Path, help="ZIP file that make evidence wrote")
    parser.add_argument("what", nargs="*", help="papers, paper/study (default: all in the pack)")
    parser.add_argument("--into", type=Path, default=Path("results/redrawn"))
    parser.add_argument("--cores", default="all")
    args = parser.parse_args()
    into = ROOT / args.into
    if into.is_dir() and any(into.iterdir()) and not (into / SUMS).exists():
        parser.error(f"--into {args.into}: holds something else than a pack; name another folder")
    unpack(args.evidence, into)
    packed = read_claims(into / "claims.csv")
    rows = redraw(args.what or list(packed.paper.unique()), args.into, args.cores)
    judged = {(row["paper"], row["study"]) for row in rows}
    packed = packed[[study in judged for study in zip(packed.paper, packed.study, strict=True)]]
    table = kernels.compare(packed.to_dict("records"), rows)
    print(kernels.report(table, str(args.evidence)))
    print(f"Figures, verdicts and tables: {args.into}")
    sys.exit(bool(table.changed.any()))


if __name__ == "__main__":
    step.guarded(main)
