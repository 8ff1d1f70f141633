"""Z7: least eigenvalue of the population loss's Hessian against the distance from the truth."""

from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import name, present


def judge(tables, claims, rng):
    table = tables["basin"]
    rows = {key: claim.rows(table) for key, claim in claims.items()}

    def share(key):
        good = claims[key].succeeded(rows[key])
        return exactly(good.mean(), seeds=rows[key].seed.nunique())

    small = rows["Z7b"]
    somewhere = claims["Z7b"].succeeded(small).groupby([small.activation, small.seed]).any()
    convex = claims["Z7"].succeeded(table)
    shares = convex.groupby([table.activation, table.seed, table.radius]).mean()
    shares = shares.groupby(["activation", "radius"]).mean().rename("share").reset_index()
    also = shares[
        (shares.radius == claims["Z7"].given["also"])
        & shares.activation.isin(rows["Z7"].activation)
    ]
    told = ", ".join(f"{row.activation} {row.share:.0%}" for row in also.itertuples())
    return {
        "Z7": share("Z7")._replace(note=f"At {claims['Z7'].given['also']:g}: {told}."),
        "Z7b": exactly(somewhere.mean(), seeds=small.seed.nunique()),
        "Z7c": share("Z7c"),
        "Z7x": share("Z7x"),
        "shares": shares,
        "radius": claims["Z7"].given["radius"],
    }


def draw(findings, tables):
    table = tables["basin"]
    fig, (share, monotone) = style.panels(2, height=2.6)
    drawn = []
    for i, activation in present(table):
        mean = findings["shares"].query("activation == @activation")
        share.plot(
            mean.radius,
            mean.share,
            marker=style.MARKERS[i],
            label=name(activation),
            **style.look(i),
        )
        drawn.append(mean[["radius", "share", "activation"]])
        rows = table[(table.activation == activation) & (table.radius > 0)]
        inner = rows.groupby(["seed", "radius"]).monotonicity.min().reset_index()
        if inner.monotonicity.notna().any():
            label = name(activation)
            drawn.append(
                style.curve(monotone, inner, "radius", "monotonicity", i, label, markers=True)
            )
    radius = findings["radius"]
    share.axvspan(0, radius, color="0.9", zorder=0)
    share.text(radius + 0.01, 0.08, f"Z7: convex up to {radius:g}", fontsize=6.5)
    share.set(
        xlabel=r"radius $\|W - W^*\|_F / \|W^*\|_F$",
        ylim=(-0.03, 1.06),
        ylabel="share of directions, convex",
        title=f"{table.seed.nunique()} teachers x {table.direction.nunique()} directions",
    )
    share.legend(loc="center right", bbox_to_anchor=(1, 0.38))
    monotone.axhline(0, color="0.4", linewidth=0.8)
    monotone.set(
        xlabel=r"radius $\|W - W^*\|_F / \|W^*\|_F$",
        title="gradient monotonicity",
        ylabel=r"$\min \langle \nabla f, W - W^* \rangle / \|W - W^*\|^2$",
    )
    monotone.set_ylim(bottom=-0.02)
    monotone.legend(loc="upper right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
