import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnntheory.descent import gradient_descent
from cnntheory.du2018.laws import cap, mixture, patch_band, patch_mixture
from cnntheory.du2018.neuron import (
    angle,
    convolution_gradient,
    gaussian_gradient,
    neuron_gradient,
    signed_angle,
)
from cnntheory.du2018.rates import distance_angle, guaranteed_drop, step_table, theorem_step
from cnntheory.du2018.smoothness import (
    GAUSSIAN_BETA,
    Constants,
    angular_beta,
    angular_constants,
    angular_moments,
    gaussian_constants,
    patch_constants,
    patch_growth,
    patch_moments,
)

W_STAR = np.array([1.0, 0.0])
# What rounding adds to the relative drop of a squared distance of 0.01 or more.
ROUNDING = 1e-12

seeds = st.integers(0, 2**32 - 1)
distances = st.floats(0.1, 0.999)
turns = st.floats(-np.pi, np.pi)
fractions = st.floats(0.01, 1)


def relative_drop(w, w_star, gradient, eta):
    before, after = (((v - w_star) ** 2).sum() for v in (w, w - eta * gradient))
    return 1 - after / before


def start_at(distance, turn):
    return W_STAR + distance * np.array([np.cos(turn), np.sin(turn)])


# --- the theorems' arithmetic --------------------------------------------------------------------


@settings(deadline=None)
@given(seeds, st.integers(2, 9), st.floats(0, 0.999))
def test_distance_bounds_the_angle(seed, p, distance):
    rng = np.random.default_rng(seed)
    w_star, u = rng.standard_normal((2, p))
    w = w_star + distance * np.linalg.norm(w_star) * u / np.linalg.norm(u)
    assert angle(w, w_star) <= distance_angle(distance) + 1e-12


@settings(deadline=None)
@given(st.floats(0, 0.999))
def test_distance_angle_is_attained_on_the_tangent_from_zero(distance):
    phi = np.arcsin(distance)
    tangent = np.sqrt(1 - distance**2) * np.array([np.cos(phi), np.sin(phi)])
    assert np.linalg.norm(tangent - W_STAR) == pytest.approx(distance, abs=1e-12)
    assert angle(tangent, W_STAR) == pytest.approx(distance_angle(distance), abs=1e-7)


def test_distance_angle_is_a_quarter_turn_from_distance_one():
    np.testing.assert_array_equal(distance_angle(np.array([1.0, 7.0])), np.pi / 2)


@settings(deadline=None)
@given(st.floats(0.001, 1), st.floats(0, 1), st.floats(0, 2), st.floats(0, 0.1), fractions)
def test_allowed_steps_imply_the_guarantee(gamma, excess, beta, l_cross, fraction):
    assume(gamma > 6 * l_cross)
    lipschitz = gamma + excess
    largest = theorem_step(gamma, lipschitz, beta, l_cross)

    def proven(eta):
        # First-order term >= (gamma - 6 L_cross) e^2, gradient <= (L + 10 L_cross + 4 beta) e.
        norm = lipschitz + 10 * l_cross + 4 * beta
        return 2 * eta * (gamma - 6 * l_cross) - (eta * norm) ** 2

    eta = fraction * largest
    sharper = guaranteed_drop(eta, gamma, l_cross, sharper=True)
    assert proven(eta) >= sharper * (1 - 1e-12)
    assert sharper >= guaranteed_drop(eta, gamma, l_cross) > 0
    # At the largest step the sharper guarantee is all that the proof gives.
    all_of_it = guaranteed_drop(largest, gamma, l_cross, sharper=True)
    assert proven(largest) == pytest.approx(all_of_it, rel=1e-9)


def test_no_step_is_allowed_outside_the_condition():
    assert theorem_step(0.3, 0.5, 1.0, l_cross=0.06) < 0
    assert theorem_step(0.3, 0.5, 1.0, l_cross=0.05) == pytest.approx(0, abs=1e-15)


def waves(phi):
    """Constants that rise and fall with the angle."""
    return Constants(1 + 0.5 * np.cos(6 * phi), 1.2 + 0.2 * np.sin(9 * phi), 0 * phi)


TABLES = [
    (gaussian_constants, GAUSSIAN_BETA, 0.0),
    (lambda phi: angular_constants(mixture(0.3), phi), 0.1, 0.0),
    (lambda phi: angular_constants(cap(0.8), phi), 0.2, 0.01),
    (waves, 0.3, 0.02),
]


@pytest.mark.parametrize(("constants", "beta", "l_cross"), TABLES)
def test_step_table_is_the_least_step_up_to_the_angle(constants, beta, l_cross):
    step, gamma = step_table(constants, beta, l_cross)
    fine = np.linspace(0, np.pi / 2, 50_001)
    found = constants(fine)
    exact = np.minimum.accumulate(theorem_step(found.gamma, found.lipschitz, beta, l_cross))
    least = np.minimum.accumulate(found.gamma)
    for table, values in ((step(fine), exact), (gamma(fine), least)):
        # Between its angles the table may miss a minimum, by the order of their distance squared.
        assert (table <= values + 1e-5).all()
        assert (np.diff(table) <= 0).all()
        np.testing.assert_allclose(table, values, atol=5e-3 * values[0])


@pytest.mark.parametrize(("constants", "beta", "l_cross"), TABLES)
def test_step_table_is_exact_at_its_angles_and_ends_at_a_quarter_turn(constants, beta, l_cross):
    step, gamma = step_table(constants, beta, l_cross, angles=5)
    phi = np.linspace(0, np.pi / 2, 5)
    found = constants(phi)
    exact = np.minimum.accumulate(theorem_step(found.gamma, found.lipschitz, beta, l_cross))
    np.testing.assert_array_equal(step(phi), exact)
    np.testing.assert_array_equal(gamma(phi), np.minimum.accumulate(found.gamma))
    assert step(2.0) == exact[-1]


# --- the theorems --------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.one_of(st.floats(0.15, 10), st.just(np.inf)), st.booleans(), distances, turns, fractions)
def test_no_step_of_one_neuron_drops_less_than_theorem_2_2_says(
    sigma, capped, distance, turn, fraction
):
    law = cap(min(sigma, np.pi / 2)) if capped else mixture(sigma)
    phi_t = distance_angle(distance)
    found = angular_constants(law, np.linspace(0, phi_t, 201))
    gamma = found.gamma.min()
    eta = fraction * theorem_step(found.gamma, found.lipschitz, angular_beta(law)).min()
    w = start_at(distance, turn)
    gradient = neuron_gradient(w, W_STAR, *angular_moments(law, signed_angle(w)))
    drop = relative_drop(w, W_STAR, gradient, eta)
    assert drop >= guaranteed_drop(eta, gamma, sharper=True) - ROUNDING
    assert drop >= guaranteed_drop(eta, gamma) - ROUNDING


@settings(deadline=None)
@given(seeds, st.integers(2, 20), distances, fractions)
def test_no_gaussian_step_drops_less_than_theorem_2_2_says(seed, p, distance, fraction):
    rng = np.random.default_rng(seed)
    w_star, u = rng.standard_normal((2, p))
    w = w_star + distance * np.linalg.norm(w_star) * u / np.linalg.norm(u)
    found = gaussian_constants(np.linspace(0, distance_angle(distance), 201))
    eta = fraction * theorem_step(found.gamma, found.lipschitz, GAUSSIAN_BETA).min()
    drop = relative_drop(w, w_star, gaussian_gradient(w, w_star), eta)
    assert drop >= guaranteed_drop(eta, found.gamma.min(), sharper=True) - ROUNDING


inside_the_condition = st.one_of(
    st.builds(
        patch_mixture, st.floats(0.25, 0.45), st.sampled_from([0.0, 0.01, 0.03]), st.integers(1, 6)
    ),
    st.builds(patch_band, st.floats(0.25, 0.45), st.floats(0.01, 0.1), st.integers(1, 6)),
    st.builds(patch_mixture, st.floats(0.5, 3), st.just(0.5), st.just(1)),
)


@settings(deadline=None, max_examples=40)
@given(inside_the_condition, st.floats(0.1, 0.7), turns, fractions)
def test_no_convolutional_step_drops_less_than_theorem_3_1_says(law, distance, turn, fraction):
    beta, l_cross = patch_growth(law)
    found = patch_constants(law, np.linspace(0, distance_angle(distance), 41))
    gamma = found.gamma.min()
    assume(gamma > 6 * l_cross)
    eta = fraction * theorem_step(found.gamma, found.lipschitz, beta, l_cross).min()
    w = start_at(distance, turn)
    gradient = convolution_gradient(w, W_STAR, patch_moments(law, signed_angle(w)))
    drop = relative_drop(w, W_STAR, gradient, eta)
    # The step that the drop is compared with rests on quadratures with errors of about 1e-9.
    assert drop >= guaranteed_drop(eta, gamma, l_cross, sharper=True) - 1e-9
    assert drop >= guaranteed_drop(eta, gamma, l_cross) - 1e-9


def test_the_condition_of_theorem_3_1_is_met_by_narrow_and_missed_by_wide_patches():
    for patch_sigma, met in ((0.02, True), (1.0, False)):
        law = patch_mixture(0.3, patch_sigma, 5)
        gamma = patch_constants(law, np.linspace(0, np.pi / 6, 20)).gamma.min()
        assert (gamma > 6 * patch_growth(law)[1]) == met


@pytest.mark.parametrize("start_distance", [0.5, 0.95])
def test_adaptive_descent_stays_below_the_product_of_the_guarantees(start_distance):
    step, gamma = step_table(gaussian_constants, GAUSSIAN_BETA)
    rng = np.random.default_rng(0)
    w_star, u = np.eye(6)[0], rng.standard_normal((5, 6))
    start = w_star + start_distance * u / np.linalg.norm(u, axis=-1, keepdims=True)

    def eta(w):
        return step(distance_angle(np.linalg.norm(w - w_star, axis=-1)))[:, None]

    bound = np.full(5, start_distance**2)
    iterates = gradient_descent(lambda w: gaussian_gradient(w, w_star), start, eta)
    for _, w in zip(range(2000), iterates, strict=False):
        error = np.linalg.norm(w - w_star, axis=-1)
        assert (error**2 <= bound * (1 + 1e-9)).all()
        bound *= 1 - guaranteed_drop(eta(w)[:, 0], gamma(distance_angle(error)))
    assert (error < start_distance / 2).all()


def test_the_gaussian_step_size_four_is_the_edge_of_stability():
    # At w* the Hessian is I/2: the error is multiplied by 1 - eta/2.
    w_star = np.eye(4)[0]
    u = np.random.default_rng(1).standard_normal(4)
    w = w_star + 1e-6 * u / np.linalg.norm(u)
    gradient = gaussian_gradient(w, w_star)
    assert relative_drop(w, w_star, gradient, 3.9) > 0
    assert relative_drop(w, w_star, gradient, 4.1) < 0
