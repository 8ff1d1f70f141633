"""The mathematics that the steps add to the library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.du2018 import teachers
from cnntheory.du2018.condition import filters_around
from cnntheory.du2018.laws import (
    density,
    mixture,
    patch_band,
    patch_mixture,
    sample_patch_angles,
    unit_vectors,
)
from cnntheory.du2018.neuron import convolution_gradient, empirical_gradient, loss, signed_angle
from cnntheory.du2018.smoothness import cross_norm, patch_moments, sample_moments
from workflow.scripts import step
from workflow.scripts.du2018 import (
    check_closeness,
    check_convolution_rate,
    check_image_condition,
    check_rate,
    descend_from_anywhere,
    measure_patches,
    stream,
    time_stream,
    train_mnist,
)

W_STAR = np.array([1.0, 0.0])
seeds = st.integers(0, 2**32 - 1)
turns = st.floats(-np.pi, np.pi)


# --- population gradients ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "law",
    [
        patch_mixture(0.2, 0.01, 5),
        patch_mixture(0.3, 0.05, 5),
        patch_mixture(0.5, 0.3, 5),
        patch_mixture(2.0, 1.0, 2),
        patch_mixture(0.4, 0.1, 1),
    ],
)
def test_interpolated_gradient_is_that_of_the_quadrature(law):
    rng = np.random.default_rng(0)
    turn = np.concatenate([rng.uniform(-np.pi, np.pi, 300), rng.uniform(-0.05, 0.05, 100)])
    w = rng.uniform(0.1, 2, (400, 1)) * unit_vectors(turn)
    exact = convolution_gradient(w, W_STAR, patch_moments(law, signed_angle(w)))
    found = check_convolution_rate.population_gradient(law)(w)
    assert np.abs(found - exact).max() < 1e-8


def test_interpolated_gradient_is_the_mean_of_empirical_ones():
    law, parts = patch_mixture(0.7, 0.4, 3), 100
    w = np.array([[0.6, -0.5]])
    z = unit_vectors(sample_patch_angles(law, np.random.default_rng(1), (parts, 2000)))
    found = empirical_gradient(np.tile(w, (parts, 1, 1)), np.tile(W_STAR, (parts, 1, 1)), z)[:, 0]
    error = found.mean(axis=0) - check_convolution_rate.population_gradient(law)(w)[0]
    assert np.abs(error / (found.std(axis=0, ddof=1) / np.sqrt(parts))).max() < 4.5


PROBLEMS = {
    **{
        law: lambda law=law: descend_from_anywhere.plane_problem(descend_from_anywhere.PLANE[law])
        for law in descend_from_anywhere.PLANE
    },
    "Gaussian": lambda: descend_from_anywhere.gaussian_problem(4, 4),
    "rank 3 in R^5": lambda: descend_from_anywhere.gaussian_problem(5, 3),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradients_are_the_derivatives_of_their_losses(name):
    w_star, gradient, loss_of = PROBLEMS[name]()
    p, h = len(w_star), 1e-5
    w = np.random.default_rng(2).standard_normal((20, p))
    ahead, behind = ((w[:, None] + h * side * np.eye(p)).reshape(-1, p) for side in (1, -1))
    slope = (loss_of(ahead) - loss_of(behind)).reshape(20, p) / (2 * h)
    np.testing.assert_allclose(gradient(w), slope, atol=1e-6)
    assert loss_of(w_star[None])[0] == pytest.approx(0, abs=1e-15)


def test_a_dead_start_of_the_one_sided_cap_has_no_gradient_and_the_loss_of_zero():
    _, gradient, loss_of = PROBLEMS["one-sided cap"]()
    dead = np.array([[-2.0, 0.4], [-0.3, 0.0]])
    np.testing.assert_allclose(gradient(dead), 0, atol=1e-15)
    np.testing.assert_allclose(loss_of(dead), loss_of(1e-12 * dead), rtol=1e-9)


@pytest.mark.parametrize("law", ["Gaussian", "mixture, sigma = 1", "mixture, sigma = 0.5"])
def test_problems_of_the_rate_stand_still_at_the_teacher_only(law):
    gradient, constants, beta = check_rate.problems()[law]
    np.testing.assert_allclose(gradient(W_STAR[None]), 0, atol=1e-15)
    w = unit_vectors(np.linspace(0.1, 1.4, 10))
    assert (np.einsum("tp,tp->t", gradient(w), w - W_STAR) > 0).all()
    phi = np.linspace(0.05, np.pi / 2, 50)
    assert (constants(phi).wrong <= beta * phi * (1 + 1e-6)).all()


# --- closeness of patches ------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.1, 3), st.floats(0.001, 0.7), st.integers(1, 6), st.floats(0.05, 2))
def test_averaging_loses_at_most_the_mass_near_the_boundary(seed, sigma, spread, patches, phi):
    law = patch_band(sigma, spread, patches)
    found = sample_patch_angles(law, np.random.default_rng(seed), (500,))
    gamma, gamma_avg, rho, mass = check_closeness.on_one_sample(found, phi)
    assert gamma >= gamma_avg - mass - 1e-12
    assert 0 <= rho <= 2 * spread
    assert 0 <= mass <= 1


@given(turns, turns, st.floats(0, np.pi / 2))
def test_a_band_around_the_edge_are_the_angles_within_rho_of_it(at, turn, rho):
    z, normal = unit_vectors(np.array([at])), unit_vectors(np.array(turn))
    away = np.abs(np.mod(at - turn, np.pi) - np.pi / 2)
    close = check_closeness.near_boundary(z, normal, rho)[0]
    assert abs(away - rho) < 1e-7 or close == (away <= rho)


def test_boundary_density_is_the_supremum_over_the_directions():
    # Uniform patches: a band of half-width d around each of two edges has mass 4 d / (2 pi).
    uniform = check_closeness.boundary_density(patch_band(np.inf, 0.1, 3), 0.1)
    assert uniform == pytest.approx(2 / np.pi, rel=1e-4)
    # A smooth law: the mass of small bands is their width times the density at the two edges.
    smooth = check_closeness.boundary_density(patch_band(1.0, 0.01, 3), 0.01)
    assert smooth == pytest.approx(4 * density(mixture(1.0), 0.0), rel=0.01)


# --- images --------------------------------------------------------------------------------------


def test_relative_loss_is_the_logarithm_of_two_means():
    rng = np.random.default_rng(3)
    w, w_star = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 1, 4))
    z = rng.uniform(0, 1, (50, 6, 4))
    found = train_mnist.relative_loss(w, w_star, z)
    for s, i in np.ndindex(2, 3):
        label = np.maximum(z @ w_star[s, 0], 0).mean(axis=1)
        expected = np.log(2 * loss(w[s, i : i + 1], w_star[s], z)[0] / label.mean() ** 2)
        assert found[s, i] == pytest.approx(expected, rel=1e-12)


@given(turns, st.integers(2, 5))
def test_angles_to_a_filter_and_to_the_average_leave_out_patches_without_ink(turn, patches):
    w, ink = unit_vectors(np.array(turn)), 3 * unit_vectors(np.zeros((1, patches)))
    z = np.concatenate([ink, np.zeros((1, patches, 2))])
    np.testing.assert_allclose(
        measure_patches.angles_to(w, z), np.full(patches, abs(turn)), atol=1e-7
    )
    np.testing.assert_allclose(measure_patches.angles_to_average(z), np.zeros(patches), atol=1e-7)


def test_trials_that_share_mini_batches_take_the_steps_they_would_take_alone():
    rng = np.random.default_rng(5)
    patches = rng.integers(0, 256, (30, 4, 9), dtype=np.uint8)
    star = rng.standard_normal((5, 1, 9)).astype(np.float32)
    w = rng.standard_normal((5, 3, 9)).astype(np.float32)
    batches = [rng.integers(30, size=8) for _ in range(3)]
    orders = [iter([batch]) for batch in batches]
    found = train_mnist.stochastic_gradient(star, patches, orders, together=2)(w)
    for trial in range(5):
        z = patches[batches[trial // 2]] / 255.0
        alone = empirical_gradient(w[trial].astype(float), star[trial].astype(float), z)
        np.testing.assert_allclose(found[trial], alone, atol=1e-5)


@given(st.integers(1, 30000), st.integers(2, 100))
def test_components_are_recorded_at_both_ends_and_at_no_more_steps_than_asked(total, points):
    at = train_mnist.moments_of(total, points)
    assert {0, total} <= at <= set(range(total + 1))
    assert len(at) <= points + 1


def test_the_condition_of_images_is_that_of_each_teachers_own_draws():
    generator = np.random.default_rng(6)
    patches = generator.integers(0, 256, (60, 3, 4), dtype=np.uint8)
    w_star = [teachers.gaussian_filter(generator, 2) for _ in range(2)]
    drawn = [
        dict(teacher="random", seed=s, pixel=i, weight=weight)
        for s, w in enumerate(w_star)
        for i, weight in enumerate(w)
    ]
    options = check_image_condition.Options(trials=2, images=40, directions=2, angles=3)
    rng = step.streams(0, "check_image_condition")
    table = check_image_condition.measure(options, rng, patches, pd.DataFrame(drawn))
    phi = np.geomspace(1e-3, np.pi / 2, 3)
    for s, w in enumerate(w_star):
        draws = rng("images", s)
        z = patches[np.sort(draws.choice(60, 40, replace=False))] / 255
        around = filters_around(w, phi, 2, draws)
        found = [[sample_moments(one, w, z) for one in side] for side in around]
        least = [[np.linalg.eigvalsh(one["pp,pp"])[0] for one in side] for side in found]
        cross = [[cross_norm(one) for one in side] for side in found]
        rows = table[table.seed == s]
        np.testing.assert_allclose(rows.phi, phi)
        np.testing.assert_allclose(rows.gamma, np.min(least, axis=0), rtol=1e-9)
        np.testing.assert_allclose(rows.l_cross, np.max(cross, axis=0) / phi, rtol=1e-9)


def test_many_runs_of_a_stream_arrive_as_single_ones_do():
    setting = dict(trials=30, steps=[0.5], base_sigma=0.5, patch_sigma=0.05, patches=3)
    table = time_stream.measure(time_stream.Options(**setting), step.streams(0, "time_stream"))
    options = stream.Options(**(setting | {"steps": [0.5, 1.0]}), noise=0.1)
    runs, _ = stream.follow(options, 0.5, 0.0, step.streams(0, "time_stream")("eta 0.5", 0))
    np.testing.assert_array_equal(table.iterations, runs.iterations)
