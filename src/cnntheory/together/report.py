"""What four theories say of one network: a page of text, a table, one figure."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np

from .._extras import extra

APPLIES, CHANGED, NOT = "applies", "applies with changes", "does not apply"
UNDECIDED = "cannot be decided"
# What is known of a measured number.
EXACT, AT_MOST, ESTIMATE = "exact", "at most", "estimate"
UNKNOWN = "not to be seen in data"
# What the letters of each paper stand for.
WORDS = {
    "du2018": "w* is the filter behind the labels and phi_0 the angle of the start to it; gamma is "
    "the least eigenvalue of the second moment of what both filters see, L_cross the growth with "
    "the angle of its correlations with what only one of them sees",
    "zhong2017": "kappa and lambda are the largest singular value of the filters, and the product "
    "of all, in units of the least; rho is the non-linearity of the activation at that scale; r "
    "patches",
    "ergen2021": "the objective is loss plus weight decay; nothing below the bound can be reached",
    "allenzhu2019": "n inputs, d outputs, m units a layer, L layers between first and last; "
    "delta is the least distance of two inputs; the tangent kernel holds the inner products of the "
    "gradients of the outputs",
}
_MARKS = {True: "yes", False: "no", None: "?"}
_WIDTH = 100


@dataclass(frozen=True)
class Hypothesis:
    """One assumption of a theorem, held against a network and its data.

    Attributes
    ----------
    asked : str
        What the theorem assumes.
    found : str
        What is there.
    rigour : {"exact", "at most", "at most and at least", "estimate", "not to be seen in data"}
        On which side of the truth `found` can lie.
    holds : bool or None
        None where it cannot be decided from the data.
    value : float or None
        The number in `found`, if it is one.
    """

    asked: str
    found: str
    rigour: str
    holds: bool | None
    value: float | None = None


@dataclass(frozen=True)
class Theory:
    """What one paper says of a network.

    Attributes
    ----------
    paper : str
        Its key.
    theorem : str
        Which of its statements, in words.
    status : {"applies", "applies with changes", "cannot be decided", "does not apply"}
        Undecided where a hypothesis is not to be seen in data; nothing contradicts the others.
    because : tuple of str
        What has to be changed, or what is outside.
    hypotheses : tuple of Hypothesis
    conclusions : tuple of str
        What follows, in the theorem's terms and units.
    numbers : dict of str to float
        Those of the conclusions.
    curves : dict of str to ndarray
        What `Report.plot` draws.
    """

    paper: str
    theorem: str
    status: str
    because: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]
    conclusions: tuple[str, ...]
    numbers: dict = field(default_factory=dict)
    curves: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Report:
    """What four theories say of one network on one data set; made by `cnntheory.examine`.

    Printed it is a page of text; in a notebook it is a table.

    Attributes
    ----------
    model : str
        Name of the model's class.
    parameters, samples, outputs : int
    objective : float
        Loss plus ``weight_decay / 2`` times the squared length of the parameters.
    loss : str
    weight_decay : float
    theories : tuple of Theory
    seconds : float
    """

    model: str
    parameters: int
    samples: int
    outputs: int
    objective: float
    loss: str
    weight_decay: float
    theories: tuple[Theory, ...]
    seconds: float

    def __getitem__(self, paper):
        """The `Theory` of a paper, by its key."""
        found = {theory.paper: theory for theory in self.theories}
        if paper not in found:
            raise KeyError(f"{paper!r}: expected one of {', '.join(found)}")
        return found[paper]

    @property
    def title(self):
        """One line on the network and its data."""
        return (
            f"{self.model} of {self.parameters} parameters on {self.samples} inputs, "
            f"{self.outputs} output(s); {self.loss}, weight decay {self.weight_decay:g}: "
            f"objective {self.objective:.4g}"
        )

    def text(self, *papers):
        """What some of the papers say, by their keys; all by default."""
        lines = []
        for theory in map(self.__getitem__, papers or [each.paper for each in self.theories]):
            lines += ["", f"{theory.paper}  {theory.theorem}", f"  {theory.status.upper()}"]
            if theory.hypotheses:
                lines += _fold(f"({WORDS[theory.paper]})", "  ")
            lines += [line for text in theory.because for line in _fold(text, "  - ")]
            for each in theory.hypotheses:
                said = f"{each.asked}: {each.found} ({each.rigour})"
                lines += _fold(said, f"  {_MARKS[each.holds]:>3}  ")
            lines += [line for text in theory.conclusions for line in _fold(text, "  => ")]
        return "\n".join(lines[1:])

    def __str__(self):
        return f"{self.title}\n\n{self.text()}"

    def to_frame(self):
        """All hypotheses as a table, a row each.

        Returns
        -------
        pandas.DataFrame
            Columns ``paper``, ``status``, ``asked``, ``found``, ``rigour``, ``holds``, ``value``.
        """
        with extra("report"):
            import pandas as pd

        rows = [
            {"paper": theory.paper, "status": theory.status} | vars(each)
            for theory in self.theories
            for each in theory.hypotheses
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self):
        parts = [f"<p>{html.escape(self.title)}</p>"]
        for theory in self.theories:
            rows = "".join(
                f"<tr><td>{_MARKS[each.holds]}</td><td>{html.escape(each.asked)}</td>"
                f"<td>{html.escape(each.found)}</td><td>{html.escape(each.rigour)}</td></tr>"
                for each in theory.hypotheses
            )
            points = "".join(f"<li>{html.escape(text)}</li>" for text in theory.because)
            results = "".join(f"<p>{html.escape(text)}</p>" for text in theory.conclusions)
            parts.append(
                f"<h4>{theory.paper}: {html.escape(theory.theorem)}</h4>"
                f"<p><b>{theory.status}</b></p><ul>{points}</ul>"
                "<table><thead><tr><th>holds</th><th>asked</th><th>found</th><th>rigour</th></tr>"
                f"</thead><tbody>{rows}</tbody></table>{results}"
            )
        return "\n".join(parts)

    def plot(self, axes=None):
        """Draw what was measured, a panel a theory.

        Parameters
        ----------
        axes : sequence of four matplotlib Axes, optional
            New ones by default.

        Returns
        -------
        matplotlib.figure.Figure
        """
        with extra("report"):
            import matplotlib.pyplot as plt

        if axes is None:
            _, axes = plt.subplots(1, 4, figsize=(13, 3.2), layout="constrained")
        for axis, theory in zip(axes, self.theories, strict=True):
            axis.set_title(f"{theory.paper}: {theory.status}", loc="left", fontsize=9)
            if theory.curves:
                _PANELS[theory.paper](axis, theory.curves)
            else:
                text = "\n".join(_fold(theory.because[0] if theory.because else "", "", 40))
                axis.text(0.02, 0.97, text, transform=axis.transAxes, va="top", fontsize=7)
                axis.set_axis_off()
        return axes[0].figure


def _fold(text, mark, width=_WIDTH):
    """Lines of a text after a mark, the later ones indented as far."""
    import textwrap

    return textwrap.wrap(text, width, initial_indent=mark, subsequent_indent=" " * len(mark))


def _draw_condition(axis, curves):
    axis.plot(curves["angles"], curves["gamma"], "C0o-", label=r"$\gamma(\phi)$, at most")
    axis.plot(curves["angles"], curves["needed"], "k--", label=r"$6 L_{cross}$, at least")
    axis.set(xlabel=r"angle $\phi$ (radians)", yscale="symlog")
    positive = np.concatenate([curves["gamma"], curves["needed"]])
    positive = positive[positive > 0]
    if len(positive):
        axis.set_yscale("log")
        axis.set_ylim(positive.min() / 3, positive.max() * 3)
    axis.legend(fontsize=7)


def _draw_hessian(axis, curves):
    values = np.sort(curves["eigenvalues"])[::-1]
    places = np.arange(1, len(values) + 1)
    for sign, marker, label in ((1, "C0o", "positive"), (-1, "C3v", "negative, its modulus")):
        chosen = sign * values > 0
        if chosen.any():
            axis.plot(places[chosen], np.abs(values[chosen]), marker, markersize=3, label=label)
    axis.axhline(curves["unit"], color="k", linestyle="--", label=r"$r\rho/(\kappa^2\lambda)$")
    axis.set(xlabel="number of the eigenvalue", ylabel="Hessian", yscale="log")
    axis.legend(fontsize=7)


def _draw_bounds(axis, curves):
    names = list(curves["names"])
    axis.barh(names, curves["values"], color=["C0", "C2", "0.7"][: len(names)])
    axis.invert_yaxis()
    axis.set(xlabel="objective", xlim=(0, None))


def _draw_kernel(axis, curves):
    axis.plot(curves["losses"], "k--", label="frozen kernel")
    axis.set(xlabel=r"step of descent, $\eta = 1/\lambda_{max}$", ylabel="squared loss")
    axis.set(xscale="symlog", yscale="log")
    axis.legend(fontsize=7)


_PANELS = {
    "du2018": _draw_condition,
    "zhong2017": _draw_hessian,
    "ergen2021": _draw_bounds,
    "allenzhu2019": _draw_kernel,
}
