"""P13, P14: change of gradient, kernel and linearisation by training, against the width."""

from figures import style
from figures.allenzhu2019.widths import against_width, finish, power, sweep

path, tables = style.read()
usual, small = sweep(tables)
fig, axes = style.panels(3, height=2.6)
drawn = []
for axis, column, ylabel in zip(
    axes,
    ("gradient_change", "kernel_change", "linear_gap"),
    (
        r"$\|\nabla f_T - \nabla f_0\|_F \,/\, \|\nabla f_0\|_F$",
        r"$\|K_T - K_0\|_F \,/\, \|K_0\|_F$",
        r"$\max_t \|f_t - f^{\rm lin}_t\| \,/\, \|r_0\|$",
    ),
    strict=True,
):
    drawn.append(against_width(axis, usual, column, 0, "measured"))
    drawn.append(against_width(axis, small, column, 1, r"$B/\sqrt{m}$", fill="none"))
    power(axis, usual, column, -1 / 6, "theorem: slope -1/6")
    finish(axis, usual, ylabel)
    axis.set_ylim(bottom=usual[column].min() / 6)
style.save(fig, path, drawn, tables)
