"""From what a study found to its verdicts."""

import math
from typing import NamedTuple

from cnntheory.stats import seeds_to_decide, verdict

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
        number = f"{self.value:.{digits}f}"
        if self.low != self.high:
            number += f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"
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
        A row a claim, in the order of the room sign, with the keys `COLUMNS`.
    """
    measured = {key for key, found in findings.items() if isinstance(found, Measured)}
    if missing := sorted(set(claims) - measured):
        raise ValueError(f"{paper}/{study}: nothing was measured for the claims {missing}")
    about = {"paper": paper, "study": study, "scale": scale, "figure": str(figure)}
    return [_row(claim, findings[name], about) for name, claim in claims.items()]


def _row(claim, got, about):
    low = -math.inf if claim.at_least is None else claim.at_least
    high = math.inf if claim.at_most is None else claim.at_most
    outcome, notes = verdict(got.low, got.high, low, high), [claim.note, got.note]
    if math.isnan(got.value):
        outcome = "inconclusive"
    elif claim.about == "images" and got.data != "MNIST":
        outcome = "inconclusive"
        notes.append(f"Claim about MNIST, measured on {got.data}.")
    elif got.seeds < claim.least_seeds:
        outcome = "inconclusive"
        notes.append(f"Needs at least {claim.least_seeds} seeds or runs.")
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
        "ci_low": got.low if got.low != got.high else math.nan,
        "ci_high": got.high if got.low != got.high else math.nan,
        "note": " ".join(" ".join(notes).split()),
    }
    return {key: _plain(row[key]) for key in COLUMNS}


def _plain(value):
    """JSON has no NaN: a missing number is null."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
