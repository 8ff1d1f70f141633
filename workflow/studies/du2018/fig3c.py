"""Figure 3c: SGD on image patches, random Gaussian teachers; judged with the Gabor teacher."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, median_band
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import at_the_end, show_errors, show_losses
from workflow.studies.verdicts import Measured, exactly

LEVEL = 0.95


def judge(tables, claims, rng):
    last = at_the_end(tables["image_training"])
    gains = gains_of_nearness(last)
    return {
        "12a": min(gains.values(), key=lambda measured: measured.low),
        "12b": worst_median(last, claims["12b"], rng),
        "gains": gains,
        "died": claims["12b"].given["died"],
    }


def by_start(rows):
    """Relative loss, a row a seed and a column a distance of the start, nearest first."""
    return rows.pivot(index="seed", columns="start_distance", values="relative_loss")


def gains_of_nearness(last):
    """(teacher, farther start, nearer start) to the median paired difference of the losses."""
    found, kinds = {}, last.teacher.nunique()
    for kind, rows in last.groupby("teacher"):
        wide = by_start(rows)
        pairs = list(zip(wide.columns[1:], wide.columns, strict=False))
        values = np.stack([wide[far] - wide[near] for far, near in pairs], axis=1)
        median, low, high = median_band(values, 1 - (1 - LEVEL) / kinds)
        for i, (far, near) in enumerate(pairs):
            wins = int((values[:, i] > 0).sum())
            found[kind, far, near] = Measured(
                *map(float, (median[i], low[i], high[i])),
                len(wide),
                rows.data.iloc[0],
                f"{kind}, {far:g} over {near:g}: {wins} of {len(wide)} pairs in order.",
            )
    return found


def worst_median(last, claim, rng):
    """Median loss of the converged runs, with whole seeds drawn again; the larger of both kinds."""
    converged = claim.succeeded(last)
    medians = []
    for _, rows in last[converged].groupby("teacher"):
        values = by_start(rows).to_numpy()
        interval = bootstrap(values, rng, lambda rows, axis: np.nanmedian(rows))
        medians.append(Measured(np.nanmedian(values), *interval, len(values), rows.data.iloc[0]))
    dead = int((~converged).sum())
    if not medians:
        return exactly(
            np.nan, seeds=last.seed.nunique(), data=last.data.iloc[0], note="All runs died."
        )
    note = f"{dead} of {len(last)} runs died (relative loss above e^-2), filter inactive."
    return max(medians, key=lambda found: found.value)._replace(note=note if dead else "")


def draw(findings, tables):
    replica = "Fashion-MNIST"
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.6), layout="constrained")
    first, again, errors, pairs = axes.ravel()
    table = tables["image_training"].query("teacher == 'random'")
    drawn = show_losses(first, table, f"{table.data.iloc[0]}, random teachers", findings["died"])
    first.legend(loc="upper right")
    drawn += show_errors(errors, table, findings["died"])
    found = list(findings["gains"].items())
    last = [at_the_end(tables["image_training"])] * len(found)
    if replica in findings:
        other = tables[replica]["image_training"]
        drawn += show_losses(again, other, f"{replica}, random teachers", findings[replica]["died"])
        more = list(findings[replica]["gains"].items())
        found += more
        last += [at_the_end(other)] * len(more)
    else:
        again.set_axis_off()
    for at, (((kind, far, near), gain), rows) in enumerate(zip(found, last, strict=True)):
        wide = by_start(rows[rows.teacher == kind])
        values = (wide[far] - wide[near]).to_numpy()
        places = at + 0.25 * np.linspace(-1, 1, len(values))
        pairs.plot(places, values, linestyle="", marker=".", markersize=3, color="0.6")
        pairs.errorbar(
            at,
            gain.value,
            [[gain.value - gain.low], [gain.high - gain.value]],
            marker="o",
            color=style.COLOURS[0],
            elinewidth=1.2,
            capsize=2,
            zorder=4,
        )
        drawn.append(pd.DataFrame({"teacher": kind, "far": far, "near": near, "gain": values}))
    pairs.axhspan(0, 1e3, color="0.94", zorder=0)
    gains = np.concatenate([part.gain for part in drawn[-len(found) :]])
    pairs.set(
        ylim=(min(gains.min(), 0) - 0.5, gains.max() + 0.5),
        ylabel="loss from farther less nearer start",
        title="paired difference at the end",
    )
    names = [
        f"{gain.data.replace('Fashion-MNIST', 'Fashion')}\n{kind}\n{far:g}\N{MINUS SIGN}{near:g}"
        for (kind, far, near), gain in found
    ]
    pairs.set_xticks(range(len(found)), names, fontsize=6.5)
    for letter, axis in zip("abcd", axes.ravel(), strict=True):
        if axis.axison:
            axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
