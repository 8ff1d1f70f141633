"""Made-up duality gaps of circular networks."""

from .grid import grid, only


def made(claim, good):
    signals = grid(dimension=(16, 32), seed=range(12)).assign(gap=0.9e-8, layers=3)
    # Longer signals are not judged.
    signals["gap"] = signals.gap.mask(signals.dimension == 32, 1.0)
    images = grid("MNIST", seed=range(12)).assign(gap=0.9e-8, accuracy=0.9)
    if not good:
        row = only(signals, dimension=16, seed=7)
        signals["gap"] = signals.gap.mask(row, 1.1e-8)
        images["gap"] = images.gap.mask(only(images, seed=7), 1.1e-8)
    return {"circular_certificates": signals, "circular_images": images}
