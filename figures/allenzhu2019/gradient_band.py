"""P4: the gradient is large whenever the loss is: rho stays in the band of the kernel."""

from figures import style
from figures.allenzhu2019.names import descent_numbers, descents, room, ticks

WIDE = 256  # from here on the band is judged
path, tables = style.read()
table, curves = descents(tables), descents(tables, curves=True)
fig, (total, last, edges) = style.panels(3, height=2.8)
drawn = []

wide = sorted(table.width[table.width >= WIDE].unique())
numbers = descent_numbers(table)
for axis, column in ((total, "ratio"), (last, "last_ratio")):
    for width in wide:
        rows = curves[curves.width == width]
        path_of = rows.groupby("iteration")[column].agg(["median", "min", "max", "size"])
        # The median ends when half of the trials have converged, the range with the last.
        running = path_of["size"] >= path_of["size"].max() / 2
        axis.fill_between(
            path_of.index + 1,
            path_of["min"],
            path_of["max"],
            color=style.COLOURS[numbers[width]],
            alpha=0.13,
            linewidth=0,
        )
        axis.plot(
            path_of.index[running] + 1,
            path_of["median"][running],
            label=f"$m = {width}$",
            **style.look(numbers[width]),
        )
    axis.set(xscale="log", yscale="log", xlabel=r"iteration $+ 1$")
    drawn.append(curves[curves.width >= WIDE].assign(panel=axis.get_title("left")))
judged = table[table.width >= WIDE]
for column, text, x, side in (
    ("lambda_min", r"$2\lambda_{\min}/m$", 0.02, "left"),
    ("lambda_max", r"$2\lambda_{\max}/m$", 0.98, "right"),
):
    level = 2 * judged[column].median()
    total.axhline(level, **style.THEORY)
    total.annotate(
        text,
        (x, level),
        (0, 2.5),
        xycoords=total.get_yaxis_transform(),
        textcoords="offset points",
        ha=side,
        fontsize=6.5,
    )
total.set_ylabel(r"$\rho_t = \|\nabla F\|_F^2 \,/\, (F m)$")
last.set_ylabel(r"$\|\nabla_{W_L} F\|_F^2 \,/\, (F m)$")

regular = table[table.lambda_min > 1e-10 * table.lambda_max]
for i, (column, label, level) in enumerate(
    (
        ("greatest_ratio", r"$\max_t \rho_t$", "lambda_max"),
        ("least_ratio", r"$\min_t \rho_t$", "lambda_min"),
        ("least_last_ratio", "last layer", None),
    )
):
    edges.plot(
        regular.width,
        regular[column],
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        fillstyle="none",
        markersize=2.6,
        alpha=0.4,
    )
    median = regular.groupby("width")[column].median()
    edges.plot(median.index, median, marker=style.MARKERS[i], label=label, **style.look(i))
    if level:
        bound = 2 * regular.groupby("width")[level].median()
        edges.plot(bound.index, bound, **style.THEORY)
edges.set(
    xscale="log", yscale="log", xlabel="width $m$", ylabel=r"edges of $\rho_t$ along the path"
)
ticks(edges, regular.width)
room(edges, above=0.2)
edges.legend(loc="upper right", ncols=2, handlelength=1.8, columnspacing=1, borderaxespad=0)
drawn.append(regular.assign(panel="(c)"))
total.legend(loc="upper right", bbox_to_anchor=(1, 0.86))
style.save(fig, path, drawn, tables)
