"""The n at which shares reach a level, of many rows at once, is that of each by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.studies.zhong2017.exponents import half
from workflow.studies.zhong2017.recovery import crossing

SAMPLES = np.array([10, 20, 50, 100, 400])
LEVELS = (0.0, 0.25, 0.5, 0.6, 1.0)
shares = st.lists(
    st.lists(st.integers(0, 4), min_size=len(SAMPLES), max_size=len(SAMPLES)), min_size=1
).map(lambda rows: np.array(rows) / 4)


@settings(deadline=None, max_examples=50)
@given(shares, st.sampled_from(LEVELS))
def test_crossings_are_numpys_interpolation_row_by_row(rows, level):
    rising = np.maximum.accumulate(rows, axis=1)
    alone = [np.exp(np.interp(level, row, np.log(SAMPLES))) for row in rising]
    np.testing.assert_allclose(crossing(SAMPLES, rows, level), alone, rtol=1e-14)
    assert crossing(SAMPLES, rows[0], level) == crossing(SAMPLES, rows, level)[0]


def test_where_a_grid_does_not_reach_across_the_level_there_is_none():
    rows = np.array([[0.5, 1, 1, 1, 1], [0, 0, 0.25, 0.25, 0.25], [0, 0.5, 0.75, 1, 1]])
    found = half(SAMPLES, rows, 0.5)
    assert np.isnan(found[:2]).all() and np.isclose(found[2], 20)
