"""``python -m cnntheory examine model.pt --images folder``: see `cnntheory.examine`."""

import argparse
import sys
from pathlib import Path

import numpy as np


def main(arguments=None):
    """Run the command line; the exit code is 1 where the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m cnntheory", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    examine = commands.add_parser(
        "examine", help="what four theories say of a network", description=_examine.__doc__
    )
    examine.add_argument("model", help="file of cnntheory.together.save_model")
    examine.add_argument(
        "--images",
        required=True,
        help="folder with MNIST's four files, given as (n, 1, height, width), or an .npy of inputs",
    )
    examine.add_argument("--labels", help="an .npy; by default those of the folder")
    examine.add_argument(
        "--classes", nargs=2, type=int, metavar=("A", "B"), help="these two only, as -1 and 1"
    )
    examine.add_argument("--samples", type=int, help="the first so many, after --classes")
    examine.add_argument("--before", help="file of the model before training")
    examine.add_argument("--loss", default="mse", help="mse or cross_entropy (default: mse)")
    examine.add_argument("--weight-decay", type=float, default=0.0)
    examine.add_argument("--time-limit", type=float, default=60.0, help="seconds (default: 60)")
    examine.add_argument("--seed", type=int, default=0)
    examine.add_argument("--plot", help="write a figure here (.svg, .pdf, .png)")
    examine.add_argument("--table", help="write the hypotheses here (.csv)")
    options = parser.parse_args(arguments)
    try:
        _examine(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _examine(options):
    """What four theories say of a network and its data: which applies, and what it promises."""
    from cnntheory.together.examination import examine
    from cnntheory.together.files import load_model

    images, labels = _data(options)
    report = examine(
        load_model(options.model),
        images,
        labels,
        loss=options.loss,
        weight_decay=options.weight_decay,
        before=load_model(options.before) if options.before else None,
        time_limit=options.time_limit,
        rng=options.seed,
    )
    print(report)
    if options.table:
        report.to_frame().to_csv(options.table, index=False)
    if options.plot:
        report.plot().savefig(options.plot)


def _data(options):
    """Inputs, floats, and labels."""
    from cnntheory import images

    path, labels = Path(options.images), None
    if path.is_dir():
        _, split = images.own(path)
        # One channel: what a convolution takes; Flatten does not mind.
        found, labels = split["train_images"][:, None] / 255.0, split["train_labels"]
    else:
        found = np.load(path, allow_pickle=False)
        found = found / 255.0 if found.dtype == np.uint8 else found.astype(float)
    if options.labels:
        labels = np.load(options.labels, allow_pickle=False)
    if labels is None or not len(labels):
        raise ValueError(f"{path}: holds no labels; name a file with --labels")
    if len(labels) != len(found):
        raise ValueError(
            f"--labels: expected one for each of {len(found)} images, found {len(labels)}"
        )
    if options.classes:
        chosen = np.isin(labels, options.classes)
        if not chosen.any():
            raise ValueError(f"--classes: no image of the classes {options.classes}")
        found, labels = found[chosen], np.where(labels[chosen] == options.classes[1], 1.0, -1.0)
    return found[: options.samples], labels[: options.samples]


if __name__ == "__main__":
    sys.exit(main())
