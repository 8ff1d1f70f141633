"""Obtain the images: MNIST, the digits of scikit-learn in its place, or your own.

MNIST is taken from --path, else from the folder MNIST_DIR, else from the cache (--cache, else
CNNTHEORY_CACHE, else the user's), else from a mirror.
"""

import json
import logging
import os
import sys
import textwrap
from pathlib import Path

import numpy as np

from cnntheory import mnist
from workflow.scripts import step

STAND_IN = {
    "what happened": "{reason}.",
    "what it means": "the 1797 handwritten digits of scikit-learn, enlarged to 28 x 28, stand in. "
    'Every table, figure and verdict says "{label}", and verdicts about MNIST are inconclusive.',
    "how to mend it": "set MNIST_DIR (or mnist.path in the config) to a folder with the four "
    "original files, or connect to the network; then run again.",
}


def run():
    args = step.arguments(
        __doc__,
        [*mnist.FILES, "source"],
        dataset=str,
        path=(str, ""),
        cache=(str, ""),
        mirrors=(json.loads, list(mnist.MIRRORS)),
        patience=(float, 30.0),
        request=(str, ""),
    )
    logging.basicConfig(format="%(message)s")
    data, arrays = images(args)
    for key in mnist.FILES:
        with step.replacing(getattr(args, key)) as part, open(part, "wb") as file:
            np.save(file, arrays[key])
    train, test = arrays["train_images"], arrays["test_images"]
    source = {
        "data": data,
        "sha256": mnist.content_hash(*(arrays[key] for key in mnist.FILES)),
        "train": len(train),
        "test": len(test),
        "shape": list(train.shape[1:]),
        "request": args.request,
    }
    with step.replacing(args.source) as part:
        part.write_text(json.dumps(source, indent=2, sort_keys=True) + "\n")
    size = mnist.times(train.shape[1:])
    print(f"{data}: {len(train)} training and {len(test)} test images of {size}", file=sys.stderr)


def images(args):
    """Label and arrays of what the configuration asks for."""
    if args.dataset not in ("auto", "mnist"):
        return mnist.own(Path(args.dataset).expanduser())
    for origin, folder in (
        ("mnist.path", args.path),
        ("MNIST_DIR", os.environ.get("MNIST_DIR")),
    ):
        if folder:
            try:
                return mnist.MNIST, mnist.load(Path(folder).expanduser())
            except ValueError as error:
                raise ValueError(f"{origin}: {error}") from error
    cache = args.cache or os.environ.get("CNNTHEORY_CACHE") or mnist.default_cache()
    try:
        return mnist.MNIST, mnist.fetch(
            Path(cache).expanduser(), args.mirrors, patience=args.patience, progress=bar
        )
    except ConnectionError as error:
        if args.dataset == "mnist":
            raise ConnectionError(
                f"{error}; connect to the network, or set MNIST_DIR (or mnist.path in the config) "
                "to a folder with the four original files"
            ) from error
        announce_stand_in(error)
        return mnist.DIGITS, mnist.digits()


def announce_stand_in(reason):
    """Say on stderr that, why and to what effect the digits stand in for MNIST."""
    lines = ["", "NOTE: the results of this run are not about MNIST."]
    for question, answer in STAND_IN.items():
        answer = answer.format(reason=reason, label=mnist.DIGITS)
        lines.append(
            textwrap.fill(
                answer,
                width=100,
                initial_indent=f"  {question + ':':16}",
                subsequent_indent=" " * 18,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    print(*lines, "", sep="\n", file=sys.stderr)


def bar(label):
    """Progress of a download."""
    # pooch sets the length when it knows it; a bar of length 0 would count as none.
    made = step.progress(total=1, label=label, unit="B")
    made.unit_scale = True
    # At the end pooch resets a bar and fills it again; its clock shall not start anew.
    made.reset = lambda: setattr(made, "n", 0)
    return made


if __name__ == "__main__":
    step.main(run)
