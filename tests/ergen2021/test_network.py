"""Networks: forward passes by hand, torch modules, Caratheodory's reduction, what does not fit."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import Circular, Network, TwoReLU
from cnntheory.ergen2021.architectures import ARCHITECTURES, get_architecture
from cnntheory.ergen2021.network import balance, reduce_atoms, reduce_filters

ALL = [*ARCHITECTURES, TwoReLU(shared=True), Circular(4), Circular(5, "product")]


def network_of(architecture, m=3, n=5, K=3, h=4, seed=0):
    """A Gaussian network and patches for it."""
    rng = np.random.default_rng(seed)
    architecture = get_architecture(architecture)
    K = 1 if architecture.whole_signals else K
    arrays = {
        name: rng.standard_normal((m, *shape)) for name, shape in architecture.shapes(K, h).items()
    }
    return Network(architecture=architecture, **arrays), rng.standard_normal((n, K, h))


def by_hand(network, x):
    """Output on one sample (K, h), filter by filter, as the paper writes it."""
    total, name = 0.0, network.architecture.name
    for j, w in enumerate(network.weights):
        u = network.filters[j]
        if name == "circular":
            z = network.inner[j]
            for filter_ in u[::-1]:
                z = np.stack([np.roll(filter_, s) for s in range(len(z))], axis=1) @ z
            total += max(x[0] @ z, 0.0) * w
        elif name == "two-relu":
            hidden = sum(max(x[k] @ u[k], 0.0) * network.inner[j, k] for k in range(len(x)))
            total += max(hidden, 0.0) * w
        else:
            units = [row @ u if name == "linear" else max(row @ u, 0.0) for row in x]
            pool = {"average": sum, "max": max}
            total += pool[name](units) * w if name in pool else np.dot(units, w)
    return total


@pytest.mark.parametrize("architecture", ALL, ids=str)
def test_the_output_is_the_papers(architecture):
    network, patches = network_of(architecture)
    np.testing.assert_allclose(
        network.predict(patches), [by_hand(network, x) for x in patches], atol=1e-12
    )


@pytest.mark.parametrize("architecture", ALL, ids=str)
def test_the_torch_module_is_the_network_and_can_be_pickled(architecture):
    network, patches = network_of(architecture)
    module = pickle.loads(pickle.dumps(network.to_torch()))
    outputs = module(torch.tensor(patches))
    np.testing.assert_allclose(outputs.detach(), network.predict(patches), atol=1e-12)
    assert dict(module.named_parameters()).keys() == network.parameters.keys()
    # and its gradient is that of the output with respect to the weights
    outputs.sum().backward()
    step = 1e-6
    moved = Network(network.filters, network.weights + step, network.architecture, network.inner)
    slope = (moved.predict(patches) - network.predict(patches)).sum() / step
    assert module.weights.grad.sum() == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("architecture", ALL, ids=str)
def test_only_what_is_not_bounded_decays(architecture):
    network, patches = network_of(architecture)
    y = network.predict(patches)
    arrays = {**network.parameters}
    if network.architecture.name in ("circular", "two-relu"):
        arrays.pop("filters")
    squares = sum((values**2).sum() for values in arrays.values())
    assert network.objective(patches, y, 0.6) == pytest.approx(0.3 * squares, rel=1e-12)


def test_whole_signals_need_no_axis_of_patches():
    network, patches = network_of("circular")
    np.testing.assert_array_equal(network.predict(patches[:, 0]), network.predict(patches))


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_networks_are_balanced_and_reduced_without_changing_outputs(pooling):
    network, patches = network_of(pooling, m=20, K=2, h=3)
    y = np.random.default_rng(1).standard_normal(5)
    even = balance(network)
    np.testing.assert_allclose(even.predict(patches), network.predict(patches), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(even.filters, axis=1), np.abs(even.weights))
    small = reduce_filters(network, patches)
    np.testing.assert_allclose(small.predict(patches), network.predict(patches), atol=1e-9)
    assert len(small.weights) <= 5
    assert small.objective(patches, y, 1.0) <= even.objective(patches, y, 1.0) + 1e-9
    assert even.objective(patches, y, 1.0) < network.objective(patches, y, 1.0)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_thinning_keeps_the_sum_and_never_raises_the_cost(seed, count):
    rng = np.random.default_rng(seed)
    atoms, mass = rng.standard_normal((3, count)), rng.random(count)
    thin = reduce_atoms(atoms, mass)
    np.testing.assert_allclose(atoms @ thin, atoms @ mass, atol=1e-10)
    assert (thin >= 0).all()
    assert thin.sum() <= mass.sum() + 1e-10
    assert (thin > 0).sum() <= 3


def test_the_whole_filter_is_the_product_of_circulant_matrices_and_so_is_its_bound():
    network, _ = network_of(Circular(4, "product"))
    whole = network.architecture.effective(network.filters, network.inner)
    matrices = [
        np.linalg.multi_dot([np.stack([np.roll(u, s) for s in range(4)], axis=1) for u in filters])
        for filters in network.filters
    ]
    for z, matrix, inner in zip(whole, matrices, network.inner, strict=True):
        np.testing.assert_allclose(z, matrix @ inner, atol=1e-12)
    largest = network.architecture.largest_norm(network.parameters)
    assert largest == pytest.approx(max(np.linalg.norm(matrix) for matrix in matrices))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 2)), np.ones(3), "mean"), "architecture: expected one of average, max, none"),
        ((np.ones((3, 2)), np.ones(2)), "weights: expected one entry for each of the 3 filters"),
        ((np.ones((3, 2)), np.full(3, np.nan)), "weights: expected finite"),
        ((np.ones((3, 2)), np.ones(3), "max", np.ones(3)), "inner: 'max' has none; leave it out"),
        ((np.ones((3, 1, 2)), np.ones(3), "circular"), "inner: expected one entry for each"),
    ],
)
def test_weights_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Network(*arguments)


def test_constants_and_bad_options_of_circular_networks():
    assert Circular().kappa(16) == 4.0
    assert Circular(4).kappa(16) == 16.0
    assert Circular(7, "product").kappa(16) == 1.0
    with pytest.raises(ValueError, match="layers: expected at least 3, found 2"):
        Circular(2)
    with pytest.raises(ValueError, match="constraint: expected 'filter' or 'product'"):
        Circular(constraint="none")
