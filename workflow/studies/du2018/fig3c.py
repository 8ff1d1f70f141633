"""Figure 3c: SGD on image patches, random Gaussian teachers; judged with the Gabor teacher."""

import numpy as np

from cnntheory.stats import bootstrap, sign_test
from workflow.studies import study
from workflow.studies.du2018.image_runs import at_the_end, draw_training
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    last = at_the_end(tables["image_training"])
    about = {"seeds": last.seed.nunique(), "data": last.data.iloc[0]}
    return {
        "12a": order_of_starts(last, about),
        "12b": worst_median(last, claims["12b"], about, rng),
        "died": claims["12b"].given["died"],
    }


def by_start(rows):
    """Relative loss, a row a seed and a column a distance of the start, nearest first."""
    return rows.pivot(index="seed", columns="start_distance", values="relative_loss")


def order_of_starts(last, about):
    """Largest p-value of the sign tests of neighbouring starts, times their number."""
    tests = []
    for _, rows in last.groupby("teacher"):
        wide = by_start(rows)
        for near, far in zip(wide.columns, wide.columns[1:], strict=False):
            tests.append(sign_test(wide[far] - wide[near]))
    order = "; ".join(f"{wins} of {pairs}" for wins, pairs, _ in tests)
    p_value = min(max(p for *_, p in tests) * len(tests), 1.0)
    return exactly(p_value, note=f"Pairs in order: {order}.", **about)


def worst_median(last, claim, about, rng):
    """Median loss of the converged runs, with whole seeds drawn again; the larger of both kinds."""
    converged = claim.succeeded(last)
    medians = []
    for _, rows in last[converged].groupby("teacher"):
        values = by_start(rows).to_numpy()
        interval = bootstrap(values, rng, lambda rows, axis: np.nanmedian(rows))
        medians.append(Measured(np.nanmedian(values), *interval, **about))
    dead = int((~converged).sum())
    if not medians:
        return exactly(np.nan, note="All runs died.", **about)
    note = f"{dead} of {len(last)} runs died (relative loss above e^-2), filter inactive."
    return max(medians, key=lambda found: found.value)._replace(note=note if dead else "")


def draw(findings, tables):
    table = tables["image_training"]
    return draw_training(table[table.teacher == "random"], "random teachers", findings["died"])


if __name__ == "__main__":
    study.main(judge, draw)
