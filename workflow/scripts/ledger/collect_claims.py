"""Put the verdicts of all studies into one table, ``claims.csv``."""

import argparse
from pathlib import Path

import pandas as pd

from workflow.scripts import step


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("verdicts", type=Path, nargs="+")
    args = parser.parse_args()
    rows = [row for path in args.verdicts for row in step.read_json(path)]
    with step.replacing(args.table) as part:
        pd.DataFrame(rows).to_csv(part, index=False)


if __name__ == "__main__":
    step.guarded(run)
