"""Cut the first training images into patches, a uint8 array (images, patches, pixels)."""

import sys
from typing import Annotated

from pydantic import Field

from cnntheory import images
from cnntheory.images.patches import write_patches
from workflow.scripts import step
from workflow.scripts.step import Count


class Options(step.Options):
    """The square patches that all images are cut into."""

    size: Annotated[int, Field(ge=2, le=28)] = Field(description="side of a patch, pixels")
    stride: Count = Field(description="step between patches, pixels")
    images: Count = Field(description="how many training images are cut, at most")


def run():
    # The patches are written as they are cut: all of them may not fit into memory.
    args, options = step.parse(__doc__, Options, ["train_images"], ["patches"], seeded=False)
    (path,) = args.train_images
    pictures = images.open_images(path)
    data = step.source(args.source)["data"]
    count = min(options.images, len(pictures))
    if count < options.images:
        print(
            f"NOTE: {data} has {count} training images, so these are cut into patches, not "
            f"{options.images} (patches.images)",
            file=sys.stderr,
        )
    with step.replacing(args.patches) as part:
        write_patches(part, pictures, options.size, options.stride, count, progress)


def progress(blocks):
    """Progress over the blocks."""
    return step.progress(blocks, label="patches", unit="block")


if __name__ == "__main__":
    step.guarded(run)
