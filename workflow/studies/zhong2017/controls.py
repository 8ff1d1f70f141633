"""N1-N3: where the hypotheses fail, the loss vanishes and the kernels are not recovered."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import name, present

CASES = (
    ("local", None, None, "near the truth, enough samples"),
    ("control", "linear", "N1-linear", "linear activation"),
    ("control", "quadratic", "N1-quadratic", "quadratic activation"),
    ("few", None, "N3", "too few samples"),
)


def null_directions(activation, k, t):
    """Dimension of the Hessian's kernel at the truth, by algebra."""
    return {"linear": k * t - k, "quadratic": t * (t - 1) // 2}[activation]


def judge(tables, claims, rng):
    rows = {
        key: claim.rows(tables["spectrum" if key in ("N2", "N2b") else "gd"])
        for key, claim in claims.items()
    }

    def unrecovered(key, note=""):
        own = rows[key]
        losses = f"Loss at the end: median {own.end_loss.median():.1g}, "
        losses += f"largest {own.end_loss.max():.1g}."
        note = f"{losses} {note}"
        return exactly(own.max_error.min(), seeds=own.seed.nunique(), note=note)

    def without_rho(key):
        first = rows[key].iloc[0]
        expected = null_directions(first.activation, first.patch_size, first.kernels)
        found = rows[key].null_directions.median()
        return unrecovered(key, f"Null directions {found:g}, by algebra {expected}.")

    ratios = {key: rows[key].smallest / rows[key].largest for key in ("N2", "N2b")}
    return {
        "N1-linear": without_rho("N1-linear"),
        "N1-quadratic": without_rho("N1-quadratic"),
        "N2": exactly(ratios["N2"].abs().max(), seeds=rows["N2"].seed.nunique()),
        "N2b": exactly(ratios["N2b"].min(), seeds=rows["N2b"].seed.nunique()),
        "N3": unrecovered("N3"),
        "recovered": claims["N3"].at_most,
        "singular": claims["N2"].at_most,
        "positive": claims["N2b"].at_least,
    }


def draw(findings, tables):
    fig, (ends, ratios) = style.panels(2, height=2.9)
    style.title(
        ends, "a", "a hypothesis broken: the loss is small, and yet the kernels are not found"
    )
    style.title(
        ratios, "b", "a kernel given twice makes the Hessian singular, dependence alone does not"
    )
    drawn = draw_ends(ends, tables["gd"], findings)
    drawn += draw_ratios(ratios, tables["spectrum"], findings)
    for axis in (ends, ratios):
        style.legend_below(axis)
    return fig, drawn


def draw_ends(axis, table, findings):
    """Loss and error of the kernels at the end, a point a run."""
    drawn = []
    for i, (case, activation, claim, label) in enumerate(CASES):
        rows = table[table.study == case]
        rows = rows[rows.activation == activation] if activation else rows
        shown = (
            style.control(f"{label}, least error {findings[claim].text()}", i) if claim else None
        )
        axis.plot(
            rows.end_loss.clip(lower=1e-34),
            rows.max_error.clip(lower=1e-17),
            **(shown or style.measured(0, label=label)) | {"linestyle": ""},
        )
        drawn.append(rows)
    style.criterion(axis, at_most=findings["recovered"], label="criterion: recovered")
    axis.set(xscale="log", yscale="log", xlabel="loss at the end", xlim=(1e-35, 1e2))
    axis.set_xticks(10.0 ** np.arange(-32, 1, 8))
    axis.set_yticks(10.0 ** np.arange(-15, 1, 3))
    axis.set(ylim=(1e-17, 1e2), ylabel=r"$\max_j \|w_j - w_j^*\| / \|w_j^*\|$")
    return drawn


def draw_ratios(axis, spectrum, findings):
    """Least over largest eigenvalue at the truth, a point a teacher."""
    drawn, order = [], present(spectrum)
    for case, shift, shown in (
        ("rank 2", -0.15, style.measured(0, label="kernels of rank 2, none parallel")),
        ("duplicated", 0.15, style.control("a kernel twice")),
    ):
        rows = spectrum[spectrum.study == case]
        places = rows.activation.map(order.index) + shift
        ratio = (rows.smallest / rows.largest).abs().clip(lower=1e-18)
        axis.plot(places, ratio, **shown | {"linestyle": ""})
        drawn.append(rows)
    style.criterion(axis, findings["positive"], label="criterion: positive", at=0.02)
    style.criterion(axis, at_most=findings["singular"], label="criterion: singular", at=0.02)
    style.judged(axis, findings["N2b"], "rank 2: least {}", (0.97, 0.55), digits=4)
    axis.set(yscale="log", ylim=(1e-19, 10), ylabel=r"$|\lambda_{\min}| / \lambda_{\max}$")
    axis.set_xticks(range(len(order)), [name(key) for key in order], rotation=25, ha="right")
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
