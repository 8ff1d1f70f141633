"""Figure 3d: SGD on image patches, Gabor teacher; its claims are those of Figure 3c."""

from workflow.studies import study
from workflow.studies.du2018.image_runs import draw_training


def draw(findings, tables):
    return draw_training(tables["image_training_gabor"], "Gabor teacher", findings["died"])


if __name__ == "__main__":
    study.main(draw=draw)
