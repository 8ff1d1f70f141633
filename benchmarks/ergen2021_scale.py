"""Convex training at a practical scale, beside logistic regression and stochastic descent.

MNIST at 14 x 14 (means of 2 x 2 pixels), 4 x 4 patches at stride 2 averaged over the image, even
against odd digits, beta = 1e-4 n. Each row of the tables is a process of its own, whose peak memory
is reported. Run ``python benchmarks/ergen2021_scale.py``; it needs ``torch`` and ``scikit-learn``,
and MNIST where `cnntheory.images.place` looks for it (``MNIST_DIR``).

How to read it. A *restricted* gap certifies the optimum over networks whose filters lie in the
cells of the gates. In 16 dimensions a cell of thousands of images is a needle, so random gates are
close to random features: descent, which moves its filters from cell to cell, ends lower and tests
better. ``convex, trained gates`` takes the filters of the network that Adam found for gates: it
contains that network, so it cannot end higher, and says how much was left in its cells.
"""

import os

# BLAS reads these when numpy is first imported, here and in every process started below.
os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]
os.environ["MKL_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from cnntheory.images import KNOWN, extract_patches, load, place

# Samples, gates, accuracy, threads, seconds and megabytes allowed.
TARGETS = ((2000, 50, 1e-4, 1, 60, 4096), (10_000, 100, 1e-2, 2, 300, 4096))
# Samples in a step of descent, and samples in all its steps at least.
BATCH, SEEN = 50, 200_000


def pictures(dataset, split, count=None):
    """Images (n, 14, 14) in [0, 1] and labels, +1 for even classes."""
    data = load(place(dataset=dataset)[1], KNOWN[dataset].files)
    pixels = data[f"{split}_images"][:count].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    return pixels, np.where(data[f"{split}_labels"][:count] % 2 == 0, 1.0, -1.0)


def cut(pixels):
    """4 x 4 patches at stride 2, divided by their number: sum pooling is then the mean."""
    patches = extract_patches(pixels, 4, 2)
    return patches / patches.shape[1]


def convex(dataset, n, gates, tol):
    """Convex training over the cells of sampled gates, or of given ones (h, T)."""
    from cnntheory.ergen2021 import train_convex

    pixels, y = pictures(dataset, "train", n)
    patches, start = cut(pixels), time.perf_counter()
    solution = train_convex(patches, y, 1e-4 * n, cells=gates, tol=tol)
    seconds = time.perf_counter() - start
    answer = score(dataset, solution.network, patches, y)
    return seconds, answer, solution.restricted_gap, None


def descent(dataset, n, width, method):
    """Adam or SGD with momentum on mini-batches, the step falling by a cosine."""
    import torch

    from cnntheory.ergen2021 import Network

    pixels, y = pictures(dataset, "train", n)
    patches, beta, start = cut(pixels), 1e-4 * n, time.perf_counter()
    epochs = max(30, SEEN // n)
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.tensor(patches), torch.tensor(y)
    filters = torch.randn(width, patches.shape[2], generator=generator, dtype=torch.float64) / 4
    weights = torch.randn(width, generator=generator, dtype=torch.float64) / 4
    variables = [filters.requires_grad_(), weights.requires_grad_()]
    if method == "Adam":
        optimiser = torch.optim.Adam(variables, lr=0.01)
    else:
        optimiser = torch.optim.SGD(variables, lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(n, generator=generator).split(BATCH):
            outputs = torch.relu(x[batch] @ filters.T).sum(1) @ weights
            decay = beta / (2 * n) * sum((part**2).sum() for part in variables)
            optimiser.zero_grad()
            (((outputs - labels[batch]) ** 2).mean() / 2 + decay).backward()
            optimiser.step()
        schedule.step()
    seconds = time.perf_counter() - start
    network = Network(filters.detach().numpy(), weights.detach().numpy())
    return seconds, score(dataset, network, patches, y), None, network.filters.T


def logistic(dataset, n):
    """Logistic regression on the pixels, scikit-learn's default penalty."""
    from sklearn.linear_model import LogisticRegression

    pixels, y = pictures(dataset, "train", n)
    start = time.perf_counter()
    model = LogisticRegression(max_iter=1000).fit(pixels.reshape(n, -1), y)
    seconds = time.perf_counter() - start
    test, labels = pictures(dataset, "test")
    shares = model.score(pixels.reshape(n, -1), y), model.score(test.reshape(len(test), -1), labels)
    return seconds, (None, *shares, None), None, None


def score(dataset, network, patches, y):
    """Objective, training and test accuracy, number of filters."""
    test, labels = pictures(dataset, "test")
    train_share = np.mean(np.sign(network.predict(patches)) == y)
    test_share = np.mean(np.sign(network.predict(cut(test))) == labels)
    objective = network.objective(patches, y, 1e-4 * len(y))
    return objective, train_share, test_share, len(network.weights)


def measured(function, *arguments):
    """What the function returns, CPU seconds and the peak memory in MB of this process."""
    found = function(*arguments)
    return *found, time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name, function, *arguments):
    """Run in a process of its own, print a line, return seconds, restricted gap, gates, memory."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        answer = alone.submit(measured, function, *arguments).result()
    seconds, (objective, train, test, filters), gap, gates, cpu, memory = answer
    print(
        f"    {name:<22} {seconds:7.1f} s ({cpu:6.1f} s CPU) {memory:6.0f} MB  "
        f"{'' if objective is None else f'{objective:.5g}':>9}  "
        f"{'' if gap is None else f'{gap:.1e}':>8}  {train:6.1%}  {test:6.1%}  {filters or '':>4}",
        flush=True,
    )
    return seconds, gap, gates, memory


def compare(dataset, n, gates, tol, threads, most_seconds, most_memory):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    print(f"{dataset}, n = {n}, {gates} gates, tol = {tol:g}, {threads} thread(s)")
    print(
        f"    {'':<22} {'training':>9} {'process':>14} {'peak':>9}  objective  rest.gap"
        "   train    test  filters"
    )
    seconds, gap, _, memory = report("convex, random gates", convex, dataset, n, gates, tol)
    report("logistic regression", logistic, dataset, n)
    report("SGD", descent, dataset, n, 2 * gates, "SGD")
    *_, found, _ = report("Adam", descent, dataset, n, 2 * gates, "Adam")
    report("convex, trained gates", convex, dataset, n, found, tol)
    met = gap <= tol and seconds <= most_seconds and memory <= most_memory
    print(
        f"    target: gap {tol:g} within {most_seconds} s below {most_memory} MB: "
        f"{'met' if met else 'NOT MET'}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("mnist", "fashion-mnist"), default="mnist")
    parser.add_argument("--only", type=int, choices=[target[0] for target in TARGETS])
    options = parser.parse_args()
    for target in TARGETS:
        if options.only in (None, target[0]):
            compare(options.data, *target)


if __name__ == "__main__":
    main()
