"""Put the verdicts of all papers into one table, ``claims.csv``."""

import json
from pathlib import Path

import pandas as pd

from workflow.scripts import step, verdicts


def run():
    args = step.arguments(__doc__, ["table"], claims=[Path])
    rows = [row for path in args.claims for row in json.loads(path.read_text())]
    frame = pd.DataFrame(rows, columns=list(verdicts.COLUMNS))
    with step.replacing(args.table) as part:
        frame.to_csv(part, index=False)


if __name__ == "__main__":
    step.main(run)
