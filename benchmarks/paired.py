"""What all comparisons share."""

import multiprocessing
import time

import numpy as np
from threadpoolctl import threadpool_limits


def paired(ways, repeats):
    """Run all ways in turn, on one thread; what else the machine does weighs on all alike.

    A first round, in which libraries load, does not count unless it is the only one.

    Parameters
    ----------
    ways : dict of callable
    repeats : int

    Returns
    -------
    seconds : dict of (repeats,) array
        Wall time.
    answers : dict
        Of the last repeat.
    """
    seconds, answers = {name: [] for name in ways}, {}
    for repeat in range(-1 if repeats > 1 else 0, repeats):
        for name in list(ways)[:: 1 - 2 * (repeat % 2)]:
            with threadpool_limits(1):
                start = time.perf_counter()
                answers[name] = ways[name]()
                spent = time.perf_counter() - start
            if repeat >= 0:
                seconds[name].append(spent)
    return {name: np.array(found) for name, found in seconds.items()}, answers


def within(function, limit):
    """What the function returns, in a process of its own; None where it takes longer (seconds)."""
    context = multiprocessing.get_context("fork")
    end, other = context.Pipe(duplex=False)
    process = context.Process(target=lambda: other.send(function()))
    process.start()
    other.close()  # so that one that fails is not waited for
    answer = end.recv() if end.poll(limit) else None
    process.kill()
    process.join()
    return answer


def row(work, size, seconds, peer, bar, accuracy):
    """A line of the table.

    Parameters
    ----------
    work, size, peer : str
    seconds : dict of (repeats,) array
        Of "library" and of the peer; a peer that was stopped has one number, how long it had.
    bar : float or None
        How many times as fast the library is to be.
    accuracy : str
        What says that both sides did the same work.

    Returns
    -------
    dict
        The ratio is the median over the pairs, with the least and the largest beside it.
    """
    ours, theirs = seconds["library"], seconds[peer]
    ratio = theirs / ours if len(theirs) == len(ours) else np.median(theirs) / ours
    return {
        "work": work,
        "size": size,
        "peer": peer,
        "library [s]": np.median(ours),
        "peer [s]": np.median(theirs),
        "ratio": np.median(ratio),
        "least": ratio.min(),
        "largest": ratio.max(),
        "pairs": len(ratio),
        "bar": bar,
        "met": "" if bar is None else ("yes" if np.median(ratio) >= bar else "no"),
        "accuracy": accuracy,
    }


def say(line):
    """Print a line of a table while the next is measured."""
    said = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in line.values()]
    print("  ".join(said), flush=True)
