import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.du2018.smoothness import sample_moments
from cnntheory.du2018.teachers import active_covariance, gabor_filter, gaussian_filter

sizes = st.integers(1, 15)
orientations = st.floats(0, 2 * np.pi)


@given(sizes, orientations)
def test_gabor_filters_have_unit_norm_and_are_even(size, orientation):
    w = gabor_filter(size, orientation)
    assert w.shape == (size**2,)
    assert np.linalg.norm(w) == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(w, w[::-1], atol=1e-12)


@given(sizes, orientations)
def test_gabor_filters_turn_with_their_orientation(size, orientation):
    def image(at):
        return gabor_filter(size, at).reshape(size, size)

    w = image(orientation)
    np.testing.assert_allclose(image(orientation + np.pi), w, atol=1e-12)
    # Exchanging rows and columns mirrors the orientation at the diagonal.
    np.testing.assert_allclose(image(np.pi / 2 - orientation), w.T, atol=1e-12)
    np.testing.assert_allclose(image(orientation + np.pi / 2), np.rot90(w, -1), atol=1e-12)


@pytest.mark.parametrize("size", [5, 8, 11])
def test_gabor_filters_oscillate_along_their_orientation_only(size):
    w = gabor_filter(size, 0.0).reshape(size, size)
    x = np.arange(size) - (size - 1) / 2
    wave = w / np.exp(-(x[:, None] ** 2 + x**2) / (2 * (size / 3.5) ** 2))
    np.testing.assert_allclose(wave, np.tile(wave[0], (size, 1)), atol=1e-12)
    # One and a half periods fit into the filter.
    np.testing.assert_allclose(
        wave[0] / wave[0, 0], np.cos(3 * np.pi * x / size) / np.cos(3 * np.pi * x[0] / size)
    )


def test_gabor_waves_are_oriented_downwards():
    w = gabor_filter(5, np.pi / 4).reshape(5, 5)
    # Fronts of the default wave run along the other diagonal, where only the envelope is left.
    envelope = np.exp(-2 * np.arange(-2, 3) ** 2 / (2 * (5 / 3.5) ** 2))
    np.testing.assert_allclose(np.diag(w[:, ::-1]) / w[2, 2], envelope, rtol=1e-12)
    assert np.abs(np.diag(w) / w[2, 2] - envelope).max() > 0.1


@given(sizes, st.integers(0, 2**32 - 1))
def test_gaussian_filters_have_unit_norm_and_belong_to_their_generator(size, seed):
    w = gaussian_filter(np.random.default_rng(seed), size)
    assert w.shape == (size**2,)
    assert np.linalg.norm(w) == pytest.approx(1, rel=1e-12)
    np.testing.assert_array_equal(w, gaussian_filter(np.random.default_rng(seed), size))


def test_gaussian_filters_have_no_preferred_direction():
    rng, n, p = np.random.default_rng(0), 20_000, 4
    w = np.stack([gaussian_filter(rng, 2) for _ in range(n)])
    assert np.abs(w.mean(axis=0)).max() < 4.5 / np.sqrt(p * n)
    # The variance of u_1^2 on the sphere of R^p is 2 (p - 1) / (p^2 (p + 2)).
    spread = np.sqrt(2 * (p - 1) / (p**2 * (p + 2)) / n)
    assert np.abs((w**2).mean(axis=0) - 1 / p).max() < 4.5 * spread


# Kept from zero, so that single precision finds the same patches active.
@st.composite
def teachers_and_patches(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n, k, p = (draw(st.integers(1, top)) for top in (4, 12, 5, 6))
    w, z = rng.standard_normal((m, p)), rng.standard_normal((n, k, p))
    return w, np.where(np.abs(z @ w.T).min(axis=-1, keepdims=True) < 1e-4, 0, z)


@settings(deadline=None)
@given(teachers_and_patches(), st.integers(1, 15))
def test_active_covariance_is_the_moment_of_the_active_patches_in_any_blocks(problem, block):
    w, z = problem
    found = active_covariance(w, z, block)
    assert found.dtype == np.float64
    for one, covariance in zip(w, found, strict=True):
        np.testing.assert_allclose(covariance, sample_moments(one, one, z)["pp,pp"], atol=1e-5)


def test_bytes_are_read_as_pixels_from_zero_to_one():
    rng = np.random.default_rng(1)
    images, w = rng.integers(0, 256, (30, 4, 9), dtype=np.uint8), rng.standard_normal((3, 9))
    found, expected = active_covariance(w, images), active_covariance(w, images / 255)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert 0 < np.linalg.eigvalsh(found).max() <= 9


def test_images_may_stay_on_disk(tmp_path):
    images = np.random.default_rng(2).integers(0, 256, (25, 3, 4), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    w = np.array([[1.0, -1.0, 0.5, 0.0]])
    stored = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_array_equal(active_covariance(w, stored, 7), active_covariance(w, images, 7))


def test_a_teacher_that_no_patch_activates_sees_nothing():
    images = np.random.default_rng(3).integers(0, 256, (10, 3, 4), dtype=np.uint8)
    np.testing.assert_array_equal(active_covariance(-np.ones((1, 4)), images), 0)


def test_a_teacher_that_all_patches_activate_sees_their_averages():
    z = np.random.default_rng(4).uniform(0.1, 1, (50, 3, 4))
    average = z.mean(axis=1)
    np.testing.assert_allclose(
        active_covariance(np.ones((1, 4)), z)[0], average.T @ average / 50, rtol=1e-5
    )
