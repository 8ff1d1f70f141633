"""P16: the loss around a ResNet trained on noisy labels, at six epochs."""

from workflow.studies import study
from workflow.studies.allenzhu2019.landscape_panels import draw

if __name__ == "__main__":
    study.main(draw=draw)
