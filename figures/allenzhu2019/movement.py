"""P12: how far the weights move, against the width."""

from figures import style
from figures.allenzhu2019.widths import against_width, finish, sweep

path, tables = style.read()
usual, small = sweep(tables)
fig, (spectral, frobenius, ratio) = style.panels(3, height=2.6)
drawn = []
for axis, column, ylabel in (
    (spectral, "spectral_movement", r"$\max_l \|W_l - W_l(0)\|_2$"),
    (frobenius, "movement", r"$\|W - W(0)\|_F$"),
):
    drawn.append(against_width(axis, usual, column, 0, "measured"))
    drawn.append(against_width(axis, small, column, 1, r"$B/\sqrt{m}$", fill="none"))
    finish(axis, usual, ylabel)
    axis.set_ylim(bottom=usual[column].min() / 3)

usual = usual.assign(ratio=usual.movement / usual.predicted_movement)
drawn.append(against_width(ratio, usual, "ratio", 0, "measured"))
ratio.axhline(1, **style.THEORY)
ratio.axhspan(0.95, 1.15, color="0.88", zorder=0)
finish(ratio, usual, r"$\|W-W(0)\|_F \,/\, \sqrt{r_0^\top K_0^{-1} r_0}$")
ratio.set(yscale="linear")
ratio.get_legend().remove()
ratio.set_title(f"{len(usual[usual.width == usual.width.min()])} trials a width")
style.save(fig, path, drawn, tables)
