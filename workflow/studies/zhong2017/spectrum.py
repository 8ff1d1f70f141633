"""Z2-Z5: ends of the Hessian's exact spectrum against patches, the bound, closeness and size."""

import numpy as np

from cnntheory.stats import log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import name, numbered

TRIAL = ["activation", "seed"]


def slopes(rows, x, y, by):
    """Log-log slopes of `y` against `x`, one for every group."""
    return rows.groupby(by)[[x, y]].apply(lambda g: log_log_slope(g[x], g[y].to_numpy()))


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["spectrum"]) for key, claim in claims.items()}

    def off(key, found):
        """The largest deviation of slopes from the one claimed."""
        return (found - claims[key].given["slope"]).abs().max()

    def by_patches(key, end):
        found = slopes(rows[key], "patches", end, TRIAL)
        return exactly(off(key, found), seeds=rows[key].seed.nunique())

    worst, plain, exact = rows["Z3"], rows["Z3x"], rows["Z3b"]
    ratios = (worst.smallest / worst.bound).groupby(worst.activation).min()
    told = ", ".join(f"{name(key)} {ratio:.3f}" for key, ratio in ratios.items())
    size = rows["Z5"].groupby(TRIAL)[["smallest", "largest"]]
    growth = np.maximum(
        slopes(rows["Z5b"], "kernels", "smallest", "activation").abs(),
        slopes(rows["Z5b"], "kernels", "largest", "activation") - claims["Z5b"].given["taken_off"],
    )
    tilts = {
        key: slopes(rows[key], "kappa", "smallest", "activation")
        for key in ("Z4-relu", "Z4-square", "Z4-odd")
    }
    return {
        "Z2": by_patches("Z2", "smallest"),
        "Z2b": by_patches("Z2b", "largest"),
        "Z2c": by_patches("Z2c", "largest"),
        "Z3": exactly(
            ratios.min(),
            seeds=worst.seed.nunique(),
            note=f"{told}; {worst.evaluations.median():.0f} teachers tried by each of {len(worst)} "
            "searches.",
        ),
        "Z3b": exactly((exact.smallest / exact.bound - 1).abs().max()),
        "Z3x": exactly(
            (plain.smallest / plain.bound / plain.kappa_lambda).min(), seeds=plain.seed.nunique()
        ),
        "Z5": exactly((size.max() / size.min() - 1).max().max(), seeds=rows["Z5"].seed.nunique()),
        "Z5b": exactly(growth.max()),
        "slopes": {key: slope for found in tilts.values() for key, slope in found.items()},
    } | {key: exactly(off(key, found)) for key, found in tilts.items()}


def draw(findings, tables):
    table = tables["spectrum"]
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 5.0), layout="constrained")
    titles = (
        r"$\lambda_{\min}$ grows as $r$, $\lambda_{\max}$ as $r$ or $r^2$",
        "a search finds no teacher below the bound",
        "two near-parallel kernels lose curvature",
        "orthonormal kernels: the constant is 1 or more",
    )
    for letter, title, axis in zip("abcd", titles, axes.ravel(), strict=True):
        axis.set_title(f"({letter}) {title}", loc="left")
    patches, bound, parallel, kernels = axes.ravel()
    drawn = [
        *draw_patches(patches, table[table.study == "patches"]),
        *draw_bound(bound, table[table.study == "bound"], table[table.study == "search"]),
        draw_parallel(parallel, table[table.study == "parallel"], findings["slopes"]),
        draw_orthonormal(kernels, table[table.study == "orthonormal"]),
    ]
    fig.legend(*patches.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return fig, drawn


def draw_patches(axis, rows):
    drawn = []
    for i, activation in numbered(rows):
        part = rows[rows.activation == activation]
        for end, fill in (("smallest", "full"), ("largest", "none")):
            median = part.groupby("patches")[end].median()
            axis.plot(
                median.index,
                median,
                marker=style.MARKERS[i],
                fillstyle=fill,
                label=name(activation) if end == "smallest" else None,
                **style.look(i),
            )
            drawn.append(
                median.rename("median").reset_index().assign(activation=activation, end=end)
            )
    r = np.array([16.0, 256.0])
    for power, level, text in ((1, 0.004, "slope 1"), (2, 12, "slope 2")):
        axis.plot(r, level * (r / 16) ** power, **style.THEORY)
        axis.text(280, level * 16**power, text, fontsize=6.5, va="center")
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="patches $r$",
        xlim=(0.8, 900),
        ylabel=r"$\lambda_{\min}$ (filled), $\lambda_{\max}$ (open)",
    )
    return drawn


def draw_bound(axis, random, worst):
    # Of a random teacher the least ratio over the activations.
    least = random.assign(ratio=random.smallest / random.bound)
    least = least.assign(plain=least.ratio / least.kappa_lambda).groupby("seed")
    least = least[["kappa", "ratio", "plain"]].min().reset_index()
    look = {"linestyle": "", "marker": "o", "fillstyle": "none", "markersize": 3}
    axis.plot(
        least.kappa,
        least.plain,
        color=style.COLOURS[3],
        label=r"control: without $1/(\kappa^2\lambda)$",
        **look,
    )
    axis.plot(least.kappa, least.ratio, color="0.5", label="random teachers", **look)
    for i, activation in numbered(worst):
        part = worst[worst.activation == activation]
        axis.plot(
            part.kappa,
            part.smallest / part.bound,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            markersize=4,
        )
    axis.axhline(1, **style.THEORY)
    axis.set(
        xscale="log",
        yscale="log",
        ylabel=r"$\lambda_{\min} / (r\,\rho(\sigma_t) / (\kappa^2 \lambda))$",
        xlabel=r"condition number $\kappa$",
    )
    axis.set_xticks([1, 1.5, 2, 3, 4, 6], ["1", "1.5", "2", "3", "4", "6"])
    axis.minorticks_off()
    axis.legend(loc="upper left", handlelength=1)
    return [least, worst]


def draw_parallel(axis, rows, slopes):
    for i, activation in numbered(rows):
        part = rows[rows.activation == activation]
        axis.plot(
            part.kappa,
            part.smallest,
            marker=style.MARKERS[i],
            **style.look(i),
            label=f"slope \N{MINUS SIGN}{-slopes[activation]:.2f}",
        )
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=r"condition number $\kappa$",
        ylabel=r"$\lambda_{\min}$",
    )
    axis.set_xticks([20, 50, 100], ["20", "50", "100"])
    axis.minorticks_off()
    axis.set_ylim(bottom=1e-13)  # room for the legend
    axis.legend(loc="lower left", ncols=2)
    return rows


def draw_orthonormal(axis, rows):
    for i, activation in numbered(rows):
        part = rows[rows.activation == activation]
        axis.plot(
            part.kernels, part.smallest / part.bound, marker=style.MARKERS[i], **style.look(i)
        )
    axis.axhline(1, **style.THEORY)
    axis.set(
        xlabel="orthonormal kernels $t$",
        ylabel=r"$\lambda_{\min} / (r\,\rho(1))$",
    )
    return rows


if __name__ == "__main__":
    study.main(judge, draw)
