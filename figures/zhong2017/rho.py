"""Z1: rho against the magnitude, per activation, and the terms whose minimum it is."""

from figures import style
from figures.zhong2017.names import name, present

path, tables = style.read()
table = tables["rho"]
fig, (curves, terms) = style.panels(2, height=2.7)
drawn = []
rho = table[(table.quantity == "rho") & ~table.activation.isin(["linear", "quadratic"])]
for i, activation in present(rho):
    rows = rho[rho.activation == activation]
    curves.plot(rows.sigma, rows.value, label=name(activation), **style.look(i))
square = rho[rho.activation == "squared_relu"]
curves.text(6, 4, "slope 2", fontsize=6.5, rotation=33, ha="center", va="center")
curves.set(
    xscale="log",
    yscale="log",
    xlabel=r"magnitude $s$ of a kernel",
    ylim=(1e-13, 1e5),
    ylabel=r"$\rho(s)$",
    title="linear: 0, quadratic: negative",
)
curves.legend(loc="lower center", ncols=3)
part = table[table.activation.isin(["tanh", "squared_relu"]) & (table.quantity != "rho")]
labels = {
    "beta_0 - alpha_0^2 - alpha_1^2": r"$\beta_0 - \alpha_0^2 - \alpha_1^2$",
    "beta_2 - alpha_1^2 - alpha_2^2": r"$\beta_2 - \alpha_1^2 - \alpha_2^2$",
    "alpha_0 alpha_2 - alpha_1^2": r"$\alpha_0\alpha_2 - \alpha_1^2$",
    "alpha_0^2": r"$\alpha_0^2$ (not in the minimum)",
}
for i, (quantity, label) in enumerate(labels.items()):
    rows = part[(part.quantity == quantity) & (part.activation == "tanh")]
    terms.plot(rows.sigma, rows.value, label=label, **style.look(i))
least = rho[rho.activation == "tanh"]
terms.plot(least.sigma, least.value, label=r"$\rho$", **style.THEORY)
top = least.loc[least.value.idxmax()]
terms.plot(top.sigma, top.value, marker="o", color="0.15", markersize=4)
terms.text(top.sigma, top.value * 0.12, f"largest at {top.sigma:.2f}", fontsize=6.5, ha="center")
terms.set(
    xscale="log",
    yscale="log",
    xlabel=r"magnitude $s$ of a kernel",
    title="terms of tanh",
    ylim=(1e-6, 1e4),
)
terms.legend(loc="upper right")
drawn = [table]
style.save(fig, path, drawn, tables)
