"""Cut the first training images into patches, a uint8 array (images, patches, pixels)."""

import sys
from pathlib import Path

from cnntheory import mnist
from cnntheory.patches import write_patches
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__, ["patches"], images=Path, source=Path, size=int, stride=int, count=int
    )
    images = mnist.open_images(args.images)
    data = step.source(args.source)["data"]
    count = args.count
    if count > len(images):
        if data != mnist.DIGITS:
            raise ValueError(
                f"patches.images: expected at most {len(images)}, the training images of {data}, "
                f"found {count}; ask for fewer"
            )
        print(f"{data}: all {len(images)} images, not {count}", file=sys.stderr)
        count = len(images)
    with step.replacing(args.patches) as part:
        write_patches(part, images, args.size, args.stride, count, progress)


def progress(blocks):
    """Progress over the blocks."""
    return step.progress(blocks, label="patches", unit="block")


if __name__ == "__main__":
    step.main(run)
