"""Print the verdicts of the papers beside what is expected; exit 1 where they differ.

    python workflow/scripts/ledger/verify.py results/du2018/verdicts/closeness.json ...

Only the standard scale decides: at another scale, or on images other than MNIST that are too few,
differences are shown but do not count.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from tabulate import tabulate

from cnntheory import images

# Data on which every claim is decided.
DECIDES = ("synthetic", images.MNIST, images.FASHION)
VERDICTS = ("holds", "fails", "inconclusive")
UNDECIDED = "not decided here"


def compare(paths):
    """Lines to print and whether everything is as expected.

    Parameters
    ----------
    paths : list of path
        The verdicts of studies, ``<paper>/verdicts/<study>.json``.

    Returns
    -------
    text : str
    good : bool
    """
    rows, lines, bad, missing = [], [], 0, {}
    for path in map(Path, paths):
        if not path.exists():
            missing.setdefault(path.parent, []).append(path.stem)
            continue
        for claim in json.loads(path.read_text()):
            differs = claim["verdict"] != claim["expected"]
            # Images that are too few, or not those a claim speaks of, leave it undecided.
            undecided = claim["verdict"] == "inconclusive" and claim["data"] not in DECIDES
            decides = claim["scale"] == "standard" and not undecided
            bad += differs and decides
            mark = ("DIFFERS" if decides else UNDECIDED) if differs else ""
            measured = "" if claim["measured"] is None else f"{claim['measured']:.3g}"
            keys = ("paper", "id", "verdict", "expected")
            told = [measured, claim["bound"], claim["data"], mark]
            rows.append([*(claim[key] for key in keys), *told])
    for folder, names in missing.items():
        # Scales other than the standard one have a folder of their own.
        scale = next((part for part in folder.parts if part in ("quick", "full")), None)
        option = f" --configfile config/{scale}.yaml" if scale else ""
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        paper = folder.parent.name
        lines.append(
            f"{folder}: {shown} missing; make it with: snakemake --cores all {paper}{option}"
        )
        bad += 1
    if rows:
        header = ["paper", "id", "verdict", "expected", "measured", "bound", "data", ""]
        lines.insert(0, tabulate(rows, headers=header, disable_numparse=True))
        found, marks = Counter(row[2] for row in rows), Counter(row[-1] for row in rows)
        counts = ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS)
        lines.append(
            f"{len(rows)} verdicts: {counts}. {marks['DIFFERS']} differ from what is expected, "
            f"{marks[UNDECIDED]} more are {UNDECIDED}."
        )
    return "\n".join(lines), not bad


if __name__ == "__main__":
    text, good = compare(sys.argv[1:])
    print(text)
    sys.exit(not good)
