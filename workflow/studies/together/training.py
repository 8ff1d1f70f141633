"""T10 to T15: distance to the optimum, movement, Hessian and patches along one training."""

import pandas as pd

from cnntheory import images
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import highest, least, lowest, medians_by, most
from workflow.studies.allenzhu2019.looks import by_width

QUARTILES = 0.25, 0.75


def judge(tables, claims, rng):
    table = tables["training"]
    table = table.assign(
        above=table.objective / table.program - 1,
        predicted_above=table.predicted_objective / table.program - 1,
        bounded=(table.objective - table.dual_bound) / table.program,
        predicted_bounded=(table.predicted_objective - table.dual_bound) / table.program,
        ratio=table.movement / table.predicted_movement,
        convexity=table.smallest / table.largest,
        needed=6 * table.l_cross,
    )
    # At time 0 nothing has moved: no ratio. What was fitted once may be given up again by decay.
    fallen = table.sort_values("time").groupby(["width", "seed"]).relative_loss.cummin()
    table = table.assign(off=(table.ratio - 1).abs(), least_loss=fallen)
    table = table.assign(met=table.gamma > table.needed, merged_met=table.merged_gamma > 0)
    rows = {name: claim.rows(table) for name, claim in claims.items()}

    def medians(name, column, worst):
        """Median over data sets, of each width, of the worst value of a run."""
        worst_of_run = rows[name].groupby(["data", "width", "seed"], as_index=False)[column]
        return medians_by(worst_of_run.agg(worst), "width", column, rng)

    met = rows["T14"]
    ratios = met.gamma / met.needed
    found = {
        "T10": least(rows["T10"], "bounded"),
        "T10x": least(rows["T10x"], "predicted_bounded"),
        "T11": most(rows["T11"], "above"),
        "T11b": highest(medians("T11b", "above", "max")),
        "T11x": most(rows["T11x"], "above"),
        "T12": highest(medians("T12", "off", "max")),
        "T12x": highest(medians("T12x", "off", "max")),
        "T13": most(rows["T13"], "convexity"),
        "T13x": most(rows["T13x"], "convexity"),
        "T14": share(met, "met", f"Largest gamma / 6 L_cross: {ratios.max():.2g}."),
        "T14x": share(rows["T14x"], "merged_met"),
        "T15": lowest(medians("T15", "convexity", "min")),
        "T15x": lowest(medians("T15x", "convexity", "min")),
    }
    return found | {"table": table, "claims": claims}


def share(rows, column, note=""):
    """Share of the rows at which something holds."""
    part = rows.assign(part=rows[column].mean())
    return most(part, "part", note=note)


def draw(findings, tables):
    fig, axes = style.panels(2, rows=2, height=5, sharex=True)
    optimum, movement, hessian, patches = axes
    style.title(
        optimum, "a", "all reach the certified optimum; the kernel of a wide one would pass it"
    )
    style.title(movement, "b", "weights move as the kernel says, until decay chooses filters")
    style.title(hessian, "c", "wide networks pass through a convex valley, and leave it")
    style.title(patches, "d", "the condition on the patches holds at no time")
    table = findings["table"]
    drawn = []
    for axis, column in (
        (optimum, "above"),
        (movement, "ratio"),
        (hessian, "convexity"),
        (patches, "gamma"),
    ):
        drawn += curves(axis, table, column)
        if again := findings.get(images.FASHION):
            drawn += again_curves(axis, again["table"], column)

    widest = table[table.width == table.width.max()]
    lines = widest[widest.time > 0].groupby("time").predicted_above.median()
    floor = table.above[table.time > 0].quantile(0.01) / 3
    # A model below the optimum leaves the logarithmic axis.
    label = f"linearised model, $m = {table.width.max()}$: falls below the optimum"
    optimum.plot(lines.index, lines.clip(lower=floor / 1e3), label=label, **style.THEORY)
    drawn.append(lines.reset_index().assign(quantity="predicted_above"))
    optimum.set(yscale="log", ylabel="objective / optimum $- 1$", ylim=(floor, None))
    movement.axhline(1, label="_kernel", **style.THEORY)
    movement.set_ylabel("movement / kernel's prediction")
    claim = findings["claims"]["T12"]
    style.criterion(movement, 1 - claim.at_most, 1 + claim.at_most, at=0.02)
    style.criterion(hessian, at_least=0, label="convex", at=0.02)
    hessian.set_yscale("symlog", linthresh=1e-3, linscale=0.6)
    hessian.set_ylabel(r"$\lambda_{\min}\ /\ \lambda_{\max}$ of the Hessian")
    merged = table[table.time > 0].groupby("time").merged_gamma.median()
    look = style.control("patches merged, needed: more than 0", markevery=3)
    patches.plot(merged.index, merged, **look)
    drawn.append(merged.reset_index().assign(quantity="merged_gamma"))
    needed = table.needed.median()
    style.bound(patches, None, needed, "above", r"needed: more than $6 L_{\mathrm{cross}}$", 0.05)
    patches.set(yscale="log", ylabel=r"$\gamma$ at the nearest filter")
    patches.set_ylim(top=5 * needed)
    for axis in (hessian, patches):
        axis.set(xscale="log", xlabel=r"time $\times\ \beta$")
    count = table.seed.nunique()
    style.corner(movement, f"{count} data sets: median, quartiles", "lower left")
    style.judged(optimum, findings["T11"], "farthest end, $m \\geq 256$: {}", (0.03, 0.1), 3)
    style.judged(hessian, findings["T15"], "least median from 0.1 to 0.5: {}", (0.03, 0.94), 4)
    style.legend_below(fig)
    return fig, drawn


def curves(axis, table, column):
    """Median over data sets with its quartiles, a line a width."""
    drawn = []
    for width, rows in table[table.time > 0].groupby("width"):
        grouped = rows.groupby("time")[column]
        middle, (low, high) = grouped.median(), map(grouped.quantile, QUARTILES)
        look = by_width(width, markevery=3)
        axis.fill_between(
            middle.index, low, high, color=look["color"], alpha=style.BAND, linewidth=0
        )
        axis.plot(middle.index, middle, label=f"$m = {width}$", **look)
        part = pd.DataFrame(dict(median=middle, low=low, high=high)).reset_index()
        drawn.append(part.assign(width=width, quantity=column))
    return drawn


def again_curves(axis, table, column):
    """Medians on the second data set, thin."""
    drawn = []
    for width, rows in table[table.time > 0].groupby("width"):
        middle = rows.groupby("time")[column].median()
        label = f"thin: {images.FASHION}" if width == table.width.max() else None
        axis.plot(middle.index, middle, color=style.width_colour(width), linewidth=0.6, label=label)
        part = middle.rename("median").reset_index()
        drawn.append(part.assign(width=width, quantity=column, data=images.FASHION))
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
