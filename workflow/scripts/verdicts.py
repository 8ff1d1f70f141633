"""From measured numbers to verdicts: what the judges of all papers share."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import yaml

from cnntheory.stats import seeds_to_decide, verdict
from workflow.scripts import step

COLUMNS = (
    "id",
    "paper",
    "kind",
    "statement",
    "source",
    "provenance",
    "criterion",
    "measured",
    "bound",
    "ci_low",
    "ci_high",
    "seeds",
    "scale",
    "data",
    "verdict",
    "expected",
    "figure",
    "note",
)


class Measured(NamedTuple):
    """What a judge found for one claim.

    Attributes
    ----------
    value : float
        The number that the criterion speaks of.
    low, high : float
        Its interval; equal to `value` for a deterministic check.
    seeds : int
        Trials behind it; 0 where nothing is random.
    data : str
        Label of the data measured.
    shown : tuple of (float, str), optional
        Number and bound to print in place of `value` and the band, where a control names another.
    note : str
        What a reader should know.
    """

    value: float
    low: float
    high: float
    seeds: int = 0
    data: str = "synthetic"
    shown: tuple | None = None
    note: str = ""


def exactly(value, **more):
    """A deterministic check: no interval."""
    return Measured(value, value, value, **more)


def band(claim):
    """The criterion's band in words."""
    low, high = claim.get("at_least"), claim.get("at_most")
    if low is not None and high is not None:
        return f"in [{low:g}, {high:g}]"
    return f">= {low:g}" if low is not None else f"<= {high:g}"


def judge(paper, claims, found, scale, figures):
    """Verdicts of one paper.

    Parameters
    ----------
    paper : str
    claims : path
        The paper's claims, ``workflow/claims/<paper>.yaml``.
    found : mapping of str to Measured
        One entry for every id of the claims, no other.
    scale : str
    figures : str
        Folder of the paper's figures.

    Returns
    -------
    list of dict
        A row a claim, in the order of the file, with the keys `COLUMNS`.
    """
    claims = yaml.safe_load(Path(claims).read_text())
    ids = [claim["id"] for claim in claims]
    if set(ids) != set(found) or len(set(ids)) != len(ids):
        odd = sorted(set(ids) ^ set(found)) or "an id given twice"
        raise ValueError(f"{paper}: claims and measurements do not match: {odd}")
    return [_row(paper, claim, found[claim["id"]], scale, figures) for claim in claims]


def _row(paper, claim, got, scale, figures):
    edges = {
        "at_least": claim.get("at_least", -math.inf),
        "at_most": claim.get("at_most", math.inf),
    }
    outcome, notes = verdict(got.low, got.high, **edges), [claim.get("note", ""), got.note]
    if math.isnan(got.value):
        outcome = "inconclusive"
    elif claim.get("about") == "images" and got.data != "MNIST":
        outcome = "inconclusive"
        notes.append(f"Claim about MNIST, measured on {got.data}.")
    elif got.seeds < claim.get("least_seeds", 0):
        outcome = "inconclusive"
        notes.append(f"Needs at least {claim['least_seeds']} seeds or runs.")
    elif outcome == "inconclusive":
        needed = seeds_to_decide(got.value, got.low, got.high, got.seeds, **edges)
        notes.append(f"About {needed} seeds would decide." if needed else "On the edge.")
    value, bound = got.shown or (got.value, band(claim))
    row = {
        "paper": paper,
        "scale": scale,
        "data": got.data,
        "seeds": got.seeds,
        "measured": value,
        "bound": bound,
        "verdict": outcome,
        "figure": f"{figures}/{claim['figure']}.svg",
        "ci_low": got.low if got.low != got.high else math.nan,
        "ci_high": got.high if got.low != got.high else math.nan,
        "note": " ".join(" ".join(notes).split()),
    }
    row |= {key: claim[key] for key in COLUMNS if key in claim and key not in row}
    return {key: _plain(row[key]) for key in COLUMNS}


def _plain(value):
    """JSON has no NaN: a missing number is null."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(rows, path):
    """Write the verdicts as JSON."""
    with step.replacing(path) as part:
        part.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
