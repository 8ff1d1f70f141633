import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import forward, fully_connected
from cnntheory.allenzhu2019.initialisation import (
    backward_products,
    drawn_norms,
    drawn_signals,
    limit_separations,
    log_growth,
    product_norms,
    separations,
)
from cnntheory.allenzhu2019.kernel import correlation


def test_streamed_signals_are_those_of_the_kept_network(generators, problem):
    x, _ = problem(2, 4, 11)
    kept = forward(fully_connected(generators(2), 12, 9, 3), x).hidden
    for streamed, h in zip(drawn_signals(generators(2), x, 9, 3), kept, strict=True):
        torch.testing.assert_close(streamed, h)


def test_inputs_of_other_variances_share_the_draws(generators, problem):
    x, _ = problem(2, 3, 11)
    together = drawn_signals(generators(2), x, 9, 3, variance=[2.0, 0.5, 3.0])
    alone = [drawn_signals(generators(2), x, 9, 3, variance=c) for c in (2.0, 0.5, 3.0)]
    for h, *each in zip(together, *alone, strict=True):
        for i, one in enumerate(each):
            torch.testing.assert_close(h[:, i], one[:, i], rtol=1e-12, atol=0)


def test_the_norms_of_signals_concentrate(generators, problem):
    x, _ = problem(40, 2, 11)
    for layer, h in enumerate(drawn_signals(generators(40), x, 600, 3)):
        # A chi-square of layer after layer: variance 5 (l + 1) / m of the squared norm.
        spread = np.sqrt(5 * (layer + 1) / 600)
        logs = h.square().sum(dim=2).log()
        assert abs(logs.mean()) < spread
        assert 0.6 < logs.square().mean().sqrt() / spread < 1.4


def test_separation_is_the_least_sine_times_norm():
    h = torch.tensor([[3.0, 0, 0], [0, 2.0, 0], [1.0, 0, 0.5]], dtype=torch.float64)
    # Of the third about the first, 0.5; of the first about the third, 3 times that sine.
    assert separations(h).item() == pytest.approx(0.5)
    h[1] = 2 * h[0]
    assert separations(h).item() == pytest.approx(0, abs=1e-12)


def test_correlations_and_separations_at_the_ends():
    np.testing.assert_allclose(correlation(np.array([-1.0, 0.0, 1.0])), [0, 1 / np.pi, 1])
    found = limit_separations(np.array([0.0, 1.0]), 2)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-7)
    assert found[0, 0] == pytest.approx(np.sqrt(1 - 1 / np.pi**2))


def test_the_norms_have_the_moments_of_the_closed_form():
    found = drawn_norms(np.random.default_rng(2), 20_000, 64, 3)
    # E ||h_l||^2 = 1, E ||h_l||^4 = (1 + 5 / m)^(l + 1).
    np.testing.assert_allclose((found**2).mean(axis=0), 1, atol=0.02)
    np.testing.assert_allclose((found**4).mean(axis=0), (1 + 5 / 64) ** np.arange(1, 5), rtol=0.04)
    mean, variance = log_growth(64)
    grown = np.diff(2 * np.log(found), axis=1)
    np.testing.assert_allclose(grown.mean(axis=0), mean, atol=4 * np.sqrt(variance / 20_000))
    np.testing.assert_allclose(grown.var(axis=0), variance, rtol=0.06)


@pytest.mark.parametrize("outputs", [1, 3])
def test_products_of_layers(outputs, build, problem):
    net = build("fully", 2, 10, 3, outputs)
    x, _ = problem(2, 3, 11)
    signals = forward(net, x)
    found = backward_products(net, signals)
    for s in range(2):
        for i in range(3):
            D = [torch.diag((h[s, i] > 0).double()) for h in signals.hidden]
            W = [None] + [matrix[s] for matrix in net.W]
            product = net.B[s] @ D[3] @ W[3]
            for a in (3, 2, 1):
                expected = torch.linalg.matrix_norm(product, 2)
                torch.testing.assert_close(found[s, a - 1, i], expected)
                if a > 1:
                    product = product @ D[a - 1] @ W[a - 1]
            middle = torch.linalg.matrix_norm(W[3] @ D[2] @ W[2] @ D[1] @ W[1], 2)
            torch.testing.assert_close(product_norms(net, signals, i, 1, 3)[s], middle)
            single = torch.linalg.matrix_norm(W[2], 2)
            torch.testing.assert_close(product_norms(net, signals, i, 2, 2)[s], single)


def test_what_does_not_fit_is_refused(build, problem):
    x, _ = problem(1, 3, 11)
    conv, skip, net = (build(kind, 1, 4, 2) for kind in ("conv", "residual", "fully"))
    for odd in (conv, skip):
        with pytest.raises(ValueError, match="without skips and images"):
            backward_products(odd, forward(odd, x))
    with pytest.raises(ValueError, match="1 <= first <= last <= 2"):
        product_norms(net, forward(net, x), 0, 2, 1)
    with pytest.raises(ValueError, match="rng: expected one for each of 1 trials, found 2"):
        next(drawn_signals([0, 1], x, 4, 2))
