"""N1-N3: where the hypotheses fail, the loss vanishes and the kernels are not recovered."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import name


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
    }


def draw(findings, tables):
    table, spectrum = tables["gd"], tables["spectrum"]
    fig, (ends, ratios) = style.panels(2, height=2.6)
    ends.set_title("(a) the loss vanishes, the error stays", loc="left")
    ratios.set_title("(b) a kernel given twice: singular", loc="left")
    drawn = []
    groups = [
        ("local", None, None, "near the truth, enough samples"),
        ("control", "linear", "N1-linear", "control: linear"),
        ("control", "quadratic", "N1-quadratic", "control: quadratic"),
        ("few", None, "N3", "control: too few samples"),
    ]
    for i, (case, activation, claim, label) in enumerate(groups):
        rows = table[table.study == case]
        rows = rows[rows.activation == activation] if activation else rows
        ends.plot(
            rows.end_loss.clip(lower=1e-34),
            rows.max_error.clip(lower=1e-17),
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[3 if claim else 0],
            fillstyle="none" if claim else "full",
            alpha=0.7,
            label=f"{label}, error from {findings[claim].text()}" if claim else label,
        )
        drawn.append(rows)
    ends.axhline(findings["recovered"], **style.THEORY)
    ends.text(1e-14, 8e-4, "recovered below", fontsize=6.5)
    ends.set(
        xscale="log",
        yscale="log",
        xlabel="loss at the end",
        ylim=(1e-17, 1e3),
        ylabel=r"$\max_j \|w_j - w_j^*\| / \|w_j^*\|$",
    )
    ends.legend(loc="center right")
    for i, (case, label) in enumerate(
        (("duplicated", "a kernel twice (N2)"), ("rank 2", "rank 2, not parallel (N2b)"))
    ):
        rows = spectrum[spectrum.study == case]
        order = list(spectrum.activation.unique())
        places = rows.activation.map(order.index) + 0.12 * (2 * i - 1)
        ratio = (rows.smallest / rows.largest).abs().clip(lower=1e-18)
        ratios.plot(
            places,
            ratio,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            alpha=0.6,
            label=label,
        )
        drawn.append(rows)
    ratios.set(
        yscale="log",
        xticks=np.arange(len(order)),
        ylim=(1e-19, 1e2),
        ylabel=r"$|\lambda_{\min}| / \lambda_{\max}$ at the truth",
    )
    ratios.set_xticklabels([name(activation) for activation in order], rotation=30, ha="right")
    ratios.legend(loc="center right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
