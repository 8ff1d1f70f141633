"""Figure 3d: SGD on image patches, Gabor teacher; its claims are those of Figure 3c."""

from workflow.studies import study, style
from workflow.studies.du2018.image_runs import show_errors, show_losses


def draw(findings, tables):
    table, died = tables["image_training_gabor"], findings["died"]
    fig, (losses, errors) = style.panels(2, height=2.9)
    drawn = show_losses(losses, table, died, findings["asked"]) + show_errors(errors, table, died)
    style.title(losses, "a", "a Gabor filter: the loss falls as for random ones")
    style.title(errors, "b", "and its error falls slowly, too")
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
