"""P16: the loss around a ResNet trained on noisy labels, at six epochs."""

from figures import style
from figures.allenzhu2019.landscape_panels import draw

draw(*style.read())
