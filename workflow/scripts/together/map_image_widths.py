"""The map of widths and sample sizes on images: patches are quadrants, cut to a few components."""

from workflow.scripts import step
from workflow.scripts.together.map_widths import Map, draw_map
from workflow.scripts.together.task import quadrants


class Options(Map):
    """Images: what descent reaches, by width and sample size, and where the theories begin."""


def measure(options, rng, images):
    return draw_map(options, rng, "images", quadrants(images, options.patch_size))


if __name__ == "__main__":
    step.main(Options, measure, tables=("runs", "optima", "limits"))
