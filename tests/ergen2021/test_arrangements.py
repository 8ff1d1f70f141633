"""Cells of the arrangement: against Cover, brute force over directions, and linear programs."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, nnls

from cnntheory.ergen2021 import (
    ArrangementTooLarge,
    cover_count,
    enumerate_cells,
    paper_bound,
    sample_gates,
)
from cnntheory.ergen2021.architectures import get_architecture
from cnntheory.ergen2021.arrangements import cells_in_cone, distinct, facets_of_cones, point_inside


def sign_patterns(patches):
    return enumerate_cells(patches).patterns


def winner_patterns(patches):
    return enumerate_cells(patches, "max").patterns


def gate_patterns(patches, gates, pooling="average"):
    """Patterns that gates (h, T) meet, in their order."""
    return distinct(get_architecture(pooling).gate(np.moveaxis(patches @ gates, -1, 0)))[0]


def as_set(patterns):
    return {pattern.tobytes() for pattern in patterns}


def interior(rows):
    """Largest margin of a direction with ``rows u >= 0``, and it, by a linear program."""
    h = rows.shape[1]
    upper = np.hstack([-rows, np.ones((len(rows), 1))])
    answer = linprog(
        np.r_[np.zeros(h), -1.0], upper, np.zeros(len(rows)), bounds=[(-1, 1)] * h + [(None, 1)]
    )
    return -answer.fun, answer.x[:h]


@pytest.mark.parametrize(
    ("n", "K", "h"), [(4, 2, 1), (7, 3, 2), (5, 2, 3), (12, 4, 3), (4, 2, 4), (4, 2, 5), (3, 1, 6)]
)
def test_counts_of_general_position_are_covers(draw, n, K, h):
    patterns = sign_patterns(draw(n, K, h)[0])
    # in one dimension all hyperplanes are one
    rows = 1 if h == 1 else n * K
    assert len(patterns) == len(as_set(patterns)) == cover_count(rows, h)


def test_covers_count_is_all_sides_of_independent_rows():
    assert cover_count(3, 5) == 2**3 == cover_count(3, 3)
    assert cover_count(10, 2) == 20
    assert cover_count(36, 4) == 2 * (1 + 35 + comb(35, 2) + comb(35, 3))


@pytest.mark.parametrize(("rows", "rank"), [(10, 2), (160, 3), (36, 4)])
def test_the_papers_bound_is_a_bound(rows, rank):
    assert cover_count(rows, rank) < paper_bound(rows, rank)


# small integers: duplicate, opposite, dependent and zero rows
DEGENERATE = (
    st.integers(0, 10**6),
    st.integers(2, 3),
    st.integers(2, 4),
    st.sampled_from(["average", "max"]),
)


@settings(max_examples=40, deadline=None)
@given(*DEGENERATE)
def test_degenerate_cells_are_those_that_directions_meet(seed, K, h, pooling):
    rng = np.random.default_rng(seed)
    patches = rng.integers(-1, 2, (2, K, h)).astype(float)
    cells = enumerate_cells(patches, pooling)
    met = gate_patterns(patches, rng.standard_normal((h, 20_000)), pooling)
    assert as_set(met) <= as_set(cells.patterns)
    # a thin cell is missed by random directions; a linear program finds one that meets it
    for pattern, signs in zip(cells.patterns, cells.signs, strict=True):
        margin, inside = interior((signs[:, None] * cells.rows)[signs != 0])
        assert margin > 1e-6
        np.testing.assert_array_equal(gate_patterns(patches, inside[:, None], pooling)[0], pattern)


def test_merged_winners_are_those_that_directions_meet(draw):
    patches = draw(4, 3, 3)[0]
    listed = as_set(winner_patterns(patches))
    met = as_set(gate_patterns(patches, sample_gates(3, 100_000, 1), "max"))
    assert met <= listed
    assert len(met) >= 0.9 * len(listed)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_every_cone_has_an_interior_with_its_pattern(draw, pooling):
    patches = draw(3, 2, 3)[0]
    cells = enumerate_cells(patches, pooling)
    for signs in cells.signs:
        bounding = signs != 0
        assert interior(signs[bounding, None] * cells.rows[bounding])[0] > 1e-6


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_facets_and_all_rows_bound_the_same_cones(draw, pooling):
    patches = draw(5, 3, 3)[0]
    cells = enumerate_cells(patches, pooling)
    directions = sample_gates(3, 500, 5).T
    by_facets = ((cells.cone_normals(slice(None)) @ directions.T) >= -1e-12).all(axis=1)
    by_rows = (cells.signs[:, :, None] * (cells.rows @ directions.T) >= -1e-12).all(axis=1)
    np.testing.assert_array_equal(by_facets, by_rows)
    # and every direction lies in one cone
    np.testing.assert_array_equal(by_rows.sum(axis=0), 1)


def test_chosen_patterns_have_the_cones_of_the_enumeration(draw):
    patches = draw(4, 2, 3)[0]
    for pooling in ("average", "max"):
        cells = enumerate_cells(patches, pooling)
        same = get_architecture(pooling).restrict(patches, cells.patterns)
        np.testing.assert_array_equal(same.signs, cells.signs)


@pytest.mark.parametrize(("n", "K", "h"), [(9, 3, 2), (6, 3, 3), (4, 3, 4)])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_facets_of_chosen_cones_are_those_of_the_enumeration(draw, pooling, n, K, h):
    patches = draw(n, K, h)[0]
    cells = enumerate_cells(patches, pooling)
    chosen = get_architecture(pooling).restrict(patches, cells.patterns)
    for known, found in zip(cells.facets, chosen.facets, strict=True):
        assert sorted(known[known >= 0]) == sorted(found[found >= 0])


def spans_its_rows(rows, signs):
    """Whether a cone's facets span all its rows, as they span its polar; or none are said."""
    facets = facets_of_cones(rows, signs[None])
    if facets is None:
        least = interior(signs[signs != 0, None] * rows[signs != 0])[0]
        return least < 1e-5 or np.linalg.matrix_rank(rows[signs != 0]) < rows.shape[1]
    walls = signs[facets[0], None] * rows[facets[0]]
    normals = signs[signs != 0, None] * rows[signs != 0]
    return signs[facets].all() and max(nnls(walls.T, row)[1] for row in normals) < 1e-12


@settings(max_examples=40, deadline=None)
@given(*DEGENERATE, st.sampled_from([0, 1e-3, 1e-5, 1e-6, 1e-7, 1e-8]))
def test_facets_of_degenerate_and_thin_cones_span_all_their_rows(seed, K, h, pooling, apart):
    rng = np.random.default_rng(seed)
    patches = rng.integers(-1, 2, (3, K, h)) + apart * rng.standard_normal((3, K, h))
    cells = enumerate_cells(patches, pooling)
    for signs in cells.signs[:: max(1, len(cells.signs) // 100)]:
        assert spans_its_rows(cells.rows, signs)


@pytest.mark.parametrize(("pooling", "seed"), [("average", 16), ("max", 3), ("max", 27)])
def test_cones_too_thin_for_hulls_are_left_open(pooling, seed):
    # found by a search: clear by less than 1e-7, their hulls lose facets
    rng = np.random.default_rng(seed)
    patches = rng.integers(-1, 2, (4, 2, 3)) + 1e-7 * rng.standard_normal((4, 2, 3))
    cells = enumerate_cells(patches, pooling)
    assert all(spans_its_rows(cells.rows, signs) for signs in cells.signs)


def test_facets_are_left_open_where_hulls_find_none(draw):
    rows = np.linalg.qr(draw(3, 1, 3)[0][:, 0])[0]
    signs = np.ones((1, 3), np.int8)
    assert facets_of_cones(rows, signs).shape == (1, 3)
    flat = np.array([rows[0], -rows[0] + 1e-12 * rows[1], rows[2]])
    assert facets_of_cones(flat / np.linalg.norm(flat, axis=1)[:, None], signs) is None
    assert facets_of_cones(rows[:2], signs[:, :2]) is None  # they hold a line
    assert facets_of_cones(np.eye(5), np.ones((1, 5), np.int8)) is None
    assert facets_of_cones(rows, signs[:0]) is None


def test_zero_patches_do_not_count(draw):
    patches = draw(4, 2, 3)[0]
    padded = np.concatenate([patches, np.zeros((4, 1, 3))], axis=1)
    assert len(sign_patterns(padded)) == len(sign_patterns(patches))
    assert not sign_patterns(padded)[:, :, 2].any()


def test_patches_of_low_rank_are_enumerated_in_their_row_space(draw):
    patches = draw(5, 2, 2)[0]
    lifted = patches @ np.random.default_rng(3).standard_normal((2, 6))
    assert as_set(sign_patterns(lifted)) == as_set(sign_patterns(patches))


def test_all_zero_patches_have_one_cell():
    assert sign_patterns(np.zeros((3, 2, 4))).shape == (1, 3, 2)


def test_gates_are_nested(draw):
    patches = draw(10, 2, 3)[0]
    gates = sample_gates(3, 50, 7)
    np.testing.assert_array_equal(gates[:, :20], sample_gates(3, 20, 7))
    few, many = gate_patterns(patches, gates[:, :20]), gate_patterns(patches, gates)
    np.testing.assert_array_equal(many[: len(few)], few)


def test_the_budget_names_the_number_and_the_way_out(draw):
    patches = draw(20, 3, 9)[0]
    with pytest.raises(ArrangementTooLarge, match=str(cover_count(60, 9))) as error:
        sign_patterns(patches)
    assert "sample gates" in str(error.value)


# Inside a cone


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (5, 2), (9, 3), (6, 4)])
def test_cells_in_general_position_have_covers_count(rows, size):
    signs, points = cells_in_cone(np.random.default_rng(0).standard_normal((rows, size)))
    assert len(signs) == cover_count(rows, size)
    assert len(np.unique(signs, axis=0)) == len(signs) == len(points)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10**6))
def test_degenerate_rows_give_the_cells_that_random_directions_see(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 2, size=(6, 3)).astype(float)
    signs, points = cells_in_cone(rows)
    np.testing.assert_array_equal(np.sign(points @ rows.T) * rows.any(axis=1), signs)
    seen = np.unique(np.sign(rng.standard_normal((5_000, 3)) @ rows.T), axis=0)
    np.testing.assert_array_equal(np.unique(signs, axis=0), seen)


def test_cells_inside_a_cone_are_those_of_its_directions():
    rng = np.random.default_rng(1)
    rows, cone = rng.standard_normal((7, 3)), rng.standard_normal((2, 3))
    signs, points = cells_in_cone(rows, cone)
    assert (points @ cone.T > 0).all()
    np.testing.assert_array_equal(np.sign(points @ rows.T), signs)
    u = rng.standard_normal((100_000, 3))
    seen = np.sign(u[(u @ cone.T > 0).all(axis=1)] @ rows.T).astype(int)
    # Random directions may miss a small cell; the point inside it is its proof.
    assert {*map(tuple, seen.tolist())} <= {*map(tuple, signs.tolist())}


def test_a_flat_cone_has_no_interior():
    assert point_inside(np.array([[1.0, 0.0], [-1.0, 0.0]])) is None
    assert len(cells_in_cone(np.eye(2), np.array([[1.0, 0.0], [-1.0, 0.0]]))[0]) == 0
