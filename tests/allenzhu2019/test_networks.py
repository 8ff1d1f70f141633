import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import (
    backward,
    convolutional,
    forward,
    fully_connected,
    residual,
)
from cnntheory.allenzhu2019.networks import product

KINDS = ("fully", "residual", "conv")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_outputs_and_gradients_are_those_of_autograd(
    kind, outputs, build, problem, plain, jacobian
):
    net = build(kind, 2, 6, 3, outputs)
    x, _ = problem(2, 4, 11)
    signals = forward(net, x)
    for k in range(outputs):
        weights = torch.zeros(2, 4, outputs, dtype=torch.float64)
        weights[:, :, k] = 1
        vectors = backward(net, signals, weights)
        for s in range(2):
            torch.testing.assert_close(
                signals.outputs[s], plain(net, s, [W[s] for W in net.W], x[s])
            )
            for p, rows, J in zip(vectors, signals.rows, jacobian(net, s, x[s]), strict=True):
                torch.testing.assert_close(p[s].T @ rows[s], J[:, k].sum(dim=0), atol=1e-12, rtol=0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (20, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products_are_those_of_torch(shape, dtype):
    a = torch.randn(4, *shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    b = a.flip(2)[:1].expand(4, -1, -1)  # one matrix for all
    tolerance = dict(rtol=0, atol=1e-5 if dtype == torch.float32 else 1e-13)
    for left, right in ((a, b.mT), (a.mT, b), (a, a.mT), (a[:, ::2], b.mT)):
        torch.testing.assert_close(product(left, right), left @ right, **tolerance)
    a.requires_grad_()
    product(a, a.mT).sum().backward()
    assert a.grad is not None
    with torch.no_grad():
        torch.testing.assert_close(product(a, b.mT), a @ b.mT, **tolerance)


def test_the_backward_vector_is_the_product_of_the_lemma(build, problem):
    net = build("fully", 1, 8, 3)
    x, _ = problem(1, 3, 11)
    signals = forward(net, x)
    vectors = backward(net, signals)
    for i in range(3):
        D = [torch.diag((h[0, i] > 0).double()) for h in signals.hidden]
        W = [None] + [matrix[0] for matrix in net.W]
        expected = D[1] @ (net.B[0] @ D[3] @ W[3] @ D[2] @ W[2]).T
        torch.testing.assert_close(vectors[0][0, i], expected[:, 0])


@pytest.mark.parametrize("maker", [fully_connected, residual])
def test_initialisation_has_the_variances_of_the_paper(maker, generators):
    m, d = 400, 3
    net = maker(generators(2), 50, m, 2, d, variance=3.0)
    for matrix, variance in [(net.A, 3 / m), *((W, 3 / m) for W in net.W), (net.B, 1 / d)]:
        entries = matrix.numel()
        # Four standard errors of a Gaussian's mean and variance.
        assert abs(matrix.mean()) < 4 * np.sqrt(variance / entries)
        assert abs(matrix.var() / variance - 1) < 4 * np.sqrt(2 / entries)


def test_the_skips_have_the_scale_1_over_depth(generators):
    net = residual(generators(1), 4, 5, 4)
    assert net.scales == (0.25, 0.25, 0.25, 1.0)
    assert net.skips == (True, True, True, False)
    assert residual(generators(1), 4, 5, 2, skip_scale=1.0).scales == (1.0, 1.0)


def test_convolution_keeps_the_norm_where_there_is_no_border(generators):
    # The image is zero near the border, so that nothing is lost there in the first two layers.
    image = torch.zeros(1, 1, 15, 15, dtype=torch.float64)
    image[..., 4:11, 4:11] = torch.from_numpy(np.random.default_rng(1).standard_normal((7, 7)))
    net = convolutional(generators(1), (15, 15), 1500, 1)
    signals = forward(net, image.reshape(1, 1, 225) / image.norm())
    for h in signals.hidden:
        assert abs(h.square().sum() - 1) < 0.1


def test_a_trial_does_not_depend_on_its_batch(build, generators, problem):
    x, _ = problem(3, 4, 11)
    many = build("fully", 3, 7, 2)
    alone = fully_connected(generators(3)[2:], 12, 7, 2)
    for several, one in zip((many.A, *many.W, many.B), (alone.A, *alone.W, alone.B), strict=True):
        torch.testing.assert_close(several[2:], one, rtol=0, atol=0)
    torch.testing.assert_close(forward(many, x).outputs[2:], forward(alone, x[2:]).outputs)


def test_a_copy_has_matrices_of_its_own(build):
    net = build("fully", 2, 5, 2)
    other = net.copy()
    other.W[0].zero_()
    assert net.W[0].abs().min() > 0
    assert other.A is net.A


def test_precision_is_an_argument(build, problem):
    net = build("conv", 1, 4, 2, dtype=torch.float32)
    double = build("conv", 1, 4, 2)
    x, _ = problem(1, 3, 11)
    outputs = forward(net, x.float()).outputs
    assert outputs.dtype == torch.float32
    torch.testing.assert_close(outputs.double(), forward(double, x).outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(width=0), "width: expected at least 1"),
        (dict(depth=0), "depth: expected at least 1"),
        (dict(variance=0.0), "variance: expected a positive"),
        (dict(rng=[]), "rng: expected a generator or seed"),
    ],
)
def test_sizes_that_make_no_network_are_refused(arguments, message, generators):
    usual = dict(rng=generators(1), inputs=3, width=4, depth=2)
    with pytest.raises(ValueError, match=message):
        fully_connected(**(usual | arguments))


def test_even_patches_are_refused(generators):
    with pytest.raises(ValueError, match="odd side"):
        convolutional(generators(1), (4, 4), 3, 1, patch=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 12), (1, 3, 12), (2, 3, 11)])
def test_inputs_of_another_shape_are_refused(kind, shape, build):
    net = build(kind, 2, 4, 1)
    with pytest.raises(ValueError, match="X: expected shape"):
        forward(net, torch.zeros(shape, dtype=torch.float64))


def test_a_seed_draws_one_trial_and_a_list_one_each(generators):
    alone = fully_connected(7, 3, 4, 2)
    several = fully_connected([0, 7], 3, 4, 2)
    assert alone.trials == 1 and several.trials == 2
    torch.testing.assert_close(several.W[1][1:], alone.W[1], rtol=0, atol=0)
