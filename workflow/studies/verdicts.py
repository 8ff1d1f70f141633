"""From what a study found to its verdicts."""

import math
from typing import NamedTuple

import pandas as pd

from cnntheory import images
from cnntheory.stats import seeds_to_decide, verdict

# With fewer independent draws nothing is decided.
LEAST_SEEDS = 10
# Data that claims about images are decided on, and how many there are to train on.
IMAGES = {images.MNIST: 60000, images.FASHION: 60000, images.SMALL: 4500}

COLUMNS = (
    "id",
    "paper",
    "study",
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
    "amended",
    "control_of",
    "figure",
    "note",
)


class Measured(NamedTuple):
    """What a study found for one claim: the number that is judged, printed and drawn.

    Attributes
    ----------
    value : float
        The number that the criterion speaks of.
    low, high : float
        Its interval; equal to `value` for a deterministic check.
    seeds : int
        Independent draws behind it; 0 where nothing is random.
    data : str
        Label of the data measured.
    note : str
        What a reader should know.
    """

    value: float
    low: float
    high: float
    seeds: int = 0
    data: str = "synthetic"
    note: str = ""

    def text(self, digits=2):
        """``-0.52 [-0.57, -0.48]``, with a true minus sign, as figures print it."""
        # Rounded first: what is nearly zero has no sign.
        value, low, high = (round(part, digits) + 0.0 for part in self[:3])
        number = f"{value:.{digits}f}"
        if self.low != self.high:
            number += f" [{low:.{digits}f}, {high:.{digits}f}]"
        return number.replace("-", "\N{MINUS SIGN}")


def exactly(value, **more):
    """A deterministic check: no interval."""
    return Measured(value, value, value, **more)


def band(claim):
    """The criterion's band in words."""
    if claim.at_least is not None and claim.at_most is not None:
        return f"in [{claim.at_least:g}, {claim.at_most:g}]"
    return f">= {claim.at_least:g}" if claim.at_least is not None else f"<= {claim.at_most:g}"


def rows(paper, study, claims, findings, scale, figure):
    """Verdicts of one study.

    Parameters
    ----------
    paper, study : str
    claims : dict of str to Claim
    findings : dict
        A `Measured` for every id of the claims; whatever else the figure needs stays unread.
    scale : str
    figure : path

    Returns
    -------
    list of dict
        A row a claim, in the order of the room sign, with the keys `COLUMNS`; then one for every
        claim that is judged on a further data set, whose findings stand under its label.
    """
    measured = {key for key, found in findings.items() if isinstance(found, Measured)}
    if missing := sorted(set(claims) - measured):
        raise ValueError(f"{paper}/{study}: nothing was measured for the claims {missing}")
    about = {"paper": paper, "study": study, "scale": scale, "figure": str(figure)}
    made = [_row(claim, findings[name], about) for name, claim in claims.items()]
    for found in findings.values():
        if isinstance(found, dict):
            again = {name: claim for name, claim in claims.items() if claim.replica}
            made += [
                _row(claim, found[name], about)
                for name, claim in again.items()
                if isinstance(found.get(name), Measured)
            ]
    return made


def drawn(rows):
    """What was judged, as one more part of what a figure's CSV holds: the numbers it prints."""
    kept = ["id", "kind", "data", "measured", "ci_low", "ci_high", "bound", "verdict"]
    return [pd.DataFrame(rows)[kept].rename(columns={"id": "claim"})] if rows else []


def _row(claim, got, about):
    low = -math.inf if claim.at_least is None else claim.at_least
    high = math.inf if claim.at_most is None else claim.at_most
    least = max(claim.least_seeds, LEAST_SEEDS if got.seeds and claim.kind != "identity" else 0)
    expected = claim.replica if got.data == images.FASHION and claim.replica else claim.expected
    outcome, notes = verdict(got.low, got.high, low, high), [claim.note, got.note]
    if math.isnan(got.value):
        outcome = "inconclusive"
    elif claim.about == "images" and IMAGES.get(got.data, 0) < max(claim.least_images, 1):
        outcome = "inconclusive"
        needed = f", {claim.least_images} images" if claim.least_images else ""
        notes.append(f"Claim about MNIST{needed}; measured on {got.data}.")
    elif got.seeds < least:
        outcome = "inconclusive"
        notes.append(f"Needs at least {least} independent draws.")
    elif outcome == "inconclusive":
        needed = seeds_to_decide(got.value, got.low, got.high, got.seeds, low, high)
        notes.append(f"About {needed} seeds would decide." if needed else "On the edge.")
    row = claim.model_dump(include=set(COLUMNS)) | about
    row |= {
        "data": got.data,
        "seeds": got.seeds,
        "measured": got.value,
        "bound": band(claim),
        "verdict": outcome,
        "expected": expected,
        "ci_low": got.low if got.low != got.high else math.nan,
        "ci_high": got.high if got.low != got.high else math.nan,
        "note": " ".join(" ".join(notes).split()),
    }
    return {key: _plain(row[key]) for key in COLUMNS}


def _plain(value):
    """JSON has no NaN: a missing number is null."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
