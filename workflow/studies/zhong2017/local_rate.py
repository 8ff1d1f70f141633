"""Z8: distance against iteration near the truth, and its rate beside lambda_min / lambda_max."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import name, present

LEVEL = 0.95


def farthest_rate(rows, expected, rng):
    """The activation's median ratio to the predicted rate that is farthest from the expected."""
    groups = [group for _, group in rows.groupby("activation")]
    found = []
    for group in groups:
        ratio = (group.measured_rate / group.predicted_rate).to_numpy()
        interval = bootstrap(ratio, rng, level=1 - (1 - LEVEL) / len(groups))
        found.append(Measured(np.median(ratio), *interval, group.seed.nunique()))
    return max(found, key=lambda measured: abs(measured.value - expected))


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["gd"]) for key, claim in claims.items()}
    local, again = rows["Z8b"], rows["Z8c"]
    squared = (1 - (1 - again.measured_rate) ** 2) / again.predicted_rate
    return {
        "Z8": farthest_rate(rows["Z8"], claims["Z8"].given["ratio"], rng),
        "Z8b": exactly(claims["Z8b"].succeeded(local).mean(), seeds=local.seed.nunique()),
        "Z8c": exactly(squared.min(), seeds=again.seed.nunique()),
    }


def draw(findings, tables):
    table, curves = tables["gd"], tables["gd_curves"]
    local = table[table.study == "local"]
    fig, (paths, rates) = style.panels(2, height=2.7)
    drawn = []
    for i, activation in present(local):
        own = table[table.activation == activation]
        for case, fill in (("local", "full"), ("resampled", "none")):
            rows = own[own.study == case]
            rates.plot(
                rows.predicted_rate,
                rows.measured_rate,
                linestyle="",
                color=style.COLOURS[i],
                marker=style.MARKERS[i],
                fillstyle=fill,
                alpha=0.8,
                label=name(activation) if case == "local" else None,
            )
        rows = curves[
            (curves.study == "local") & (curves.activation == activation) & (curves.seed == 0)
        ]
        rows = rows[rows.distance > 1e-14]
        paths.plot(rows.iteration, rows.distance, label=name(activation), **style.look(i))
        # The predicted factor from the middle of the curve on.
        middle = rows.iloc[len(rows) // 2]
        at = rows.iteration[rows.iteration >= middle.iteration]
        rate = own[(own.study == "local") & (own.seed == 0)].predicted_rate.iloc[0]
        line = middle.distance * (1 - rate) ** (at - middle.iteration)
        paths.plot(at[line > 1e-14], line[line > 1e-14], **style.THEORY)
        drawn.append(rows)
    ends = np.array([local.predicted_rate.min(), local.predicted_rate.max()])
    rates.plot(ends, ends, label=r"$\lambda_{\min}/\lambda_{\max}$", **style.THEORY)
    rates.plot(ends, ends / 2, color="0.5", linestyle=":", label="the theorem's guarantee")
    paths.set(
        yscale="log",
        xlabel="iteration",
        ylabel=r"$\|W - W^*\|_F / \|W^*\|_F$",
        title=r"one seed; dashed: $1 - \lambda_{\min}/\lambda_{\max}$ a step",
        ylim=(1e-14, 0.1),
    )
    rates.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\lambda_{\min} / \lambda_{\max}$ at the truth",
        ylabel="measured $1 -$ factor",
        title=f"{table.seed.nunique()} seeds; open: resampled",
    )
    paths.legend(loc="upper right")
    rates.set_xticks([0.01, 0.02], ["0.01", "0.02"])
    rates.set_yticks([0.005, 0.01, 0.02], ["0.005", "0.01", "0.02"])
    rates.minorticks_off()
    rates.legend(loc="lower right")
    rates.set_ylim(bottom=5e-4)
    drawn.append(table[table.study.isin(["local", "resampled"])])
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
