import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from cnntheory.allenzhu2019.inputs import pairs, pool, prepare, separation

rng = np.random.default_rng(5)


def test_pooling_keeps_the_mean_and_a_constant():
    images = rng.integers(0, 256, (3, 28, 28), dtype=np.uint8)
    pooled = pool(images)
    assert pooled.shape == (3, 14, 14)
    np.testing.assert_allclose(pooled.mean(axis=(1, 2)), images.mean(axis=(1, 2)))
    assert pooled[1, 2, 3] == images[1, 4:6, 6:8].mean()


@pytest.mark.parametrize("shape", [(2, 28, 26), (2, 15, 15)])
def test_images_that_do_not_divide_are_refused(shape):
    with pytest.raises(ValueError, match="multiple of 14"):
        pool(np.zeros(shape))


def test_inputs_are_unit_vectors_with_a_constant_coordinate():
    x = prepare(rng.normal(size=(2, 6, 5)) + 10)
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1)
    np.testing.assert_allclose(x[..., -1], np.sqrt(0.5))


def test_scale_and_shift_of_the_data_do_not_matter():
    z = rng.normal(size=(6, 5))
    np.testing.assert_allclose(prepare(3 * z + 7), prepare(z), atol=1e-14)


def test_a_vector_without_direction_is_refused():
    with pytest.raises(ValueError, match="zero after centring"):
        prepare(np.array([[1.0, 2.0], [0.0, 0.0], [-1.0, -2.0]]))


def test_separation_is_the_least_distance():
    x = rng.normal(size=(3, 7, 4))
    np.testing.assert_allclose(separation(x), [pdist(one).min() for one in x])
    x[:, 3] = x[:, 5]
    np.testing.assert_allclose(separation(x), 0, atol=1e-7)


@given(st.integers(0, 1000), st.floats(0, 1.4))
def test_pairs_have_the_distance_asked_for(seed, distance):
    x, y = pairs(np.random.default_rng(seed), 3, 8, [distance])
    np.testing.assert_allclose(np.linalg.norm(x[0, ::2] - x[0, 1::2], axis=1), distance, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1)
    assert (y[::2] == -y[1::2]).all()


def test_pairs_are_the_same_at_every_distance():
    near, far = pairs(np.random.default_rng(1), 4, 8, [0.1, 0.9])[0]
    np.testing.assert_array_equal(near[::2], far[::2])


def test_impossible_distances_are_refused():
    with pytest.raises(ValueError, match="0 to sqrt"):
        pairs(np.random.default_rng(1), 2, 8, [1.5])
