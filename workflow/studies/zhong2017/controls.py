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

    def share(key, note):
        good = claims[key].succeeded(rows[key])
        return exactly(good.mean(), seeds=rows[key].seed.nunique(), note=note)

    def unrecovered(key):
        own = rows[key]
        first = own.iloc[0]
        expected = null_directions(first.activation, first.patch_size, first.kernels)
        return share(
            key,
            f"Null directions {own.null_directions.median():g}, by algebra {expected}. "
            f"Largest loss at the end {own.end_loss.max():.1g}, "
            f"least error of a kernel {own.max_error.min():.2g}.",
        )

    ratios = {key: rows[key].smallest / rows[key].largest for key in ("N2", "N2b")}
    return {
        "N1-linear": unrecovered("N1-linear"),
        "N1-quadratic": unrecovered("N1-quadratic"),
        "N2": exactly(ratios["N2"].abs().max(), seeds=rows["N2"].seed.nunique()),
        "N2b": exactly(ratios["N2b"].min(), seeds=rows["N2b"].seed.nunique()),
        "N3": share("N3", f"Median loss at the end {rows['N3'].end_loss.median():.2g}."),
        "recovered": claims["N3"].given["recovered"],
    }


def draw(findings, tables):
    table, spectrum = tables["gd"], tables["spectrum"]
    fig, (ends, ratios) = style.panels(2, height=2.6)
    drawn = []
    groups = [
        ("local", None, "Z8 (holds)"),
        ("control", "linear", "linear (N1)"),
        ("control", "quadratic", "quadratic (N1)"),
        ("few", None, "too few samples (N3)"),
    ]
    for i, (case, activation, label) in enumerate(groups):
        rows = table[table.study == case]
        rows = rows[rows.activation == activation] if activation else rows
        ends.plot(
            rows.end_loss.clip(lower=1e-34),
            rows.max_error.clip(lower=1e-17),
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            alpha=0.7,
            label=label,
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
        title=f"gradient descent, {table.seed.nunique()} seeds each",
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
        title=f"{rows.seed.nunique()} teachers each",
    )
    ratios.set_xticklabels([name(activation) for activation in order], rotation=30, ha="right")
    ratios.legend(loc="center right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
