"""P16: the loss around a plain network trained on true labels, at six epochs."""

from figures import style
from figures.allenzhu2019.landscape_panels import draw

draw(*style.read())
