"""Z8: distance against iteration near the truth, and its rate beside lambda_min / lambda_max."""

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import look, name_criterion, present

LEVEL = 0.95


def farthest_median(rows, values, expected, rng):
    """The activation's median value that is farthest from the expected one."""
    groups = [group for _, group in rows.assign(value=values).groupby("activation")]
    found = []
    for group in groups:
        interval = bootstrap(group.value.to_numpy(), rng, level=1 - (1 - LEVEL) / len(groups))
        found.append(Measured(group.value.median(), *interval, group.seed.nunique()))
    return max(found, key=lambda measured: abs(measured.value - expected))


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["gd"]) for key, claim in claims.items()}
    local, again = rows["Z8b"], rows["Z8c"]
    squared = (1 - (1 - again.measured_rate) ** 2) / again.predicted_rate
    return {
        "Z8": farthest_median(
            rows["Z8"],
            rows["Z8"].measured_rate / rows["Z8"].predicted_rate,
            claims["Z8"].given["ratio"],
            rng,
        ),
        "Z8b": exactly(claims["Z8b"].succeeded(local).mean(), seeds=local.seed.nunique()),
        "Z8d": farthest_median(rows["Z8d"], rows["Z8d"].straightness, 1, rng),
        "Z8c": exactly(squared.min(), seeds=again.seed.nunique()),
        "ratio between": (claims["Z8"].at_least, claims["Z8"].at_most),
    }


def draw(findings, tables):
    table, curves = tables["gd"], tables["gd_curves"]
    local = table[table.study == "local"]
    again = table[table.study == "resampled"]
    fig, (paths, rates, fresh) = style.panels(3, height=2.8)
    style.title(paths, "a", "each step shrinks the distance by one factor")
    style.title(rates, "b", "the factor is the one that the curvatures tell")
    style.title(fresh, "c", "with fresh samples: twice as fast as proven")
    drawn = draw_paths(paths, curves[curves.study == "local"], local, findings)
    draw_rates(rates, local, local.measured_rate / local.predicted_rate)
    style.criterion(rates, *findings["ratio between"], label="criterion for a median", at=0.02)
    style.judged(rates, findings["Z8"], "farthest median {}", (0.5, 0.08), digits=3)
    draw_rates(fresh, again, (1 - (1 - again.measured_rate) ** 2) / again.predicted_rate)
    style.bound(fresh, None, 1, "above", "the theorem's rate", at=0.04)
    style.judged(fresh, findings["Z8c"], "least {}", (0.97, 0.4))
    rates.set_ylabel(r"measured rate / ($\lambda_{\min} / \lambda_{\max}$)")
    fresh.set_ylabel(r"squared distance's rate / ($\lambda_{\min} / \lambda_{\max}$)")
    low, high = findings["ratio between"]
    rates.set_ylim(1 - 2 * (1 - low), 1 + 2 * (high - 1))
    fresh.set_ylim(0.8, 2.3)
    style.corner(rates, f"{local.seed.nunique()} seeds each", "upper left")
    style.legend_below(fig)
    return fig, [*drawn, local, again]


def draw_paths(axis, curves, local, findings):
    """One seed's distances, with the predicted factor from the middle of each curve on."""
    drawn = []
    for activation in present(local):
        own = local[(local.activation == activation) & (local.seed == 0)]
        rows = curves[(curves.activation == activation) & (curves.seed == 0)]
        rows = rows[rows.distance > 1e-14]
        axis.plot(
            rows.iteration, rows.distance, markevery=max(1, len(rows) // 6), **look(activation)
        )
        middle = rows.iloc[len(rows) // 2]
        at = rows.iteration[rows.iteration >= middle.iteration]
        line = middle.distance * (1 - own.predicted_rate.iloc[0]) ** (at - middle.iteration)
        shown = style.THEORY | {"label": r"theory: $1 - \lambda_{\min} / \lambda_{\max}$ a step"}
        axis.plot(at[line > 1e-14], line[line > 1e-14], **shown)
        drawn.append(rows)
    style.criterion(axis, at_most=findings["end"], label="")
    name_criterion(axis, "criterion: all runs end here")
    style.judged(axis, findings["Z8b"], "share of runs that end there: {}", (0.97, 0.95))
    straight = exactly(findings["Z8d"].value)
    style.judged(axis, straight, "median $R^2$: {}", (0.97, 0.87), digits=4)
    axis.set(yscale="log", ylim=(1e-14, 0.1), xlabel="iteration")
    axis.set_ylabel(r"$\|W - W^*\|_F \,/\, \|W^*\|_F$")
    return drawn


def draw_rates(axis, rows, ratio):
    """A point a seed: a measured rate over the predicted one."""
    for activation in present(rows):
        own = rows.activation == activation
        axis.plot(rows.predicted_rate[own], ratio[own], **look(activation, linestyle=""))
    axis.set(xscale="log", xlabel=r"$\lambda_{\min} / \lambda_{\max}$ at the truth")
    style.plain_ticks(axis, "x")


if __name__ == "__main__":
    study.main(judge, draw)
