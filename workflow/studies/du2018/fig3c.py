"""Figure 3c: SGD on image patches, random Gaussian teachers; judged with the Gabor teacher."""

import numpy as np
import pandas as pd

from cnntheory.stats import median_band
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import at_the_end, median_of_all, show_errors, show_losses
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
        "asked": claims["12b"].at_most,
        "least": claims["12a"].at_least,
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
        found = median_of_all(values, rng)
        medians.append(Measured(*found, len(values), rows.data.iloc[0]))
    dead = int((~converged).sum())
    if not medians:
        return exactly(
            np.nan, seeds=last.seed.nunique(), data=last.data.iloc[0], note="All runs died."
        )
    note = f"{dead} of {len(last)} runs died (relative loss above e^-2), filter inactive."
    return max(medians, key=lambda found: found.value)._replace(note=note if dead else "")


def draw(findings, tables):
    replica = "Fashion-MNIST"
    fig, (first, again, errors, pairs) = style.panels(2, rows=2, height=5)
    table = tables["image_training"].query("teacher == 'random'")
    data, died = table.data.iloc[0], findings["died"]
    drawn = show_losses(first, table, died, findings["asked"])
    style.title(first, "a", f"{data}: the loss falls to nearly nothing")
    judged = "median of all starts at the end: {}"
    style.judged(first, findings["12b"], judged, (0.03, 0.06), digits=1)
    drawn += show_errors(errors, table, died)
    style.title(errors, "c", f"{data}: the error of the filter falls slowly")
    shown = [(findings, tables["image_training"])]
    if replica in findings:
        other = tables[replica]["image_training"]
        drawn += show_losses(again, other, died, findings["asked"])
        style.title(again, "b", f"{replica}: the same")
        style.judged(again, findings[replica]["12b"], judged, (0.03, 0.06), digits=1)
        shown.append((findings[replica], other))
    else:
        again.set_axis_off()
        again.set_title("", loc="left")
    style.title(pairs, "d", "nearer starts end lower, teacher by teacher")
    drawn += draw_pairs(pairs, shown, findings["least"])
    style.legend_below(fig)
    return fig, drawn


def draw_pairs(axis, shown, least):
    """What a farther start costs at the end: a dot a seed, median and interval."""
    names, drawn = [], []
    for i, (found, table) in enumerate(shown):
        last = at_the_end(table)
        for (kind, far, near), gain in found["gains"].items():
            at, wide = len(names), by_start(last[last.teacher == kind])
            values = (wide[far] - wide[near]).to_numpy()
            places = at + 0.25 * np.linspace(-1, 1, len(values))
            axis.plot(places, values, linestyle="", marker=".", markersize=3, color="0.65")
            ends = [[gain.value - gain.low], [gain.high - gain.value]]
            look = style.measured(2 * i, linestyle="", zorder=4)
            axis.errorbar(at, gain.value, ends, elinewidth=1.2, capsize=2, **look)
            set_of_images = gain.data.replace("Fashion-MNIST", "Fashion")
            name = kind.replace("gabor", "Gabor")
            names.append(f"{set_of_images}\n{name}\n{far:g}\N{MINUS SIGN}{near:g}")
            drawn.append(pd.DataFrame({"teacher": kind, "far": far, "near": near, "gain": values}))
        style.judged(
            axis, found["12a"], f"{last.data.iloc[0]}, least median: {{}}", (0.98, 0.95 - 0.07 * i)
        )
    gains = np.concatenate([part.gain for part in drawn])
    lowest, highest = min(gains.min(), 0), gains.max()
    axis.set_yscale("symlog", linthresh=1)
    axis.set_yticks([0, 1, 2, 5, 10], ["0", "1", "2", "5", "10"])
    axis.set_ylim(lowest - 0.7, max(12 * highest, 3))
    style.criterion(axis, least, at=0.02, label="criterion: median above 0", inside=False)
    axis.set_ylabel("loss from farther less nearer start")
    axis.set_xticks(range(len(names)), names, fontsize=style.SMALL)
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
