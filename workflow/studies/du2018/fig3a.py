"""Figure 3a: SGD of one neuron over smoothness levels, p = 2 and 10."""

from workflow.studies import study, style
from workflow.studies.du2018.hitting import iterations_to, share_increasing
from workflow.studies.verdicts import exactly

TABLES = ("sgd_neuron_p2", "sgd_neuron_p10")


def judge(tables, claims, rng):
    claim = claims["8b"]
    shares = {}
    for name in TABLES:
        times = iterations_to(claim.given["error"], claim.rows(tables[name])).to_numpy()
        # A level that has not arrived is slower than one that has; two such are not ordered.
        shares[name] = share_increasing(-times)
    seeds = tables[TABLES[0]].seed.nunique()
    return {"8b": exactly(min(shares.values()), seeds=seeds), "shares": shares}


def draw(findings, tables):
    fig, axes = style.panels(2, sharey=True)
    drawn = []
    for axis, name in zip(axes, TABLES, strict=True):
        table = tables[name]
        for i, (sigma, rows) in enumerate(table.groupby("sigma")):
            # Below 1e-13 the distance is rounding.
            rows = rows[rows.filter_error > 1e-13]
            label = style.sigma_label(sigma)
            drawn.append(
                style.curve(axis, rows, "epoch", "filter_error", i, label).assign(panel=name)
            )
        p, seeds = table.dimension.iloc[0], table.seed.nunique()
        axis.set(yscale="log", xlabel="epoch", title=f"$p = {p}$, {seeds} seeds")
        axis.set_ylim(1e-13, 1)
    axes[0].set_ylabel(r"$\|w_t - w^*\| / \|w^*\|$")
    axes[1].legend(title="spread of the angle to $\\pm w^*$", ncols=2, loc="lower left")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
