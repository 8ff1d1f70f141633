"""What the steps of the paper add to the library."""

import numpy as np
import pytest

from cnntheory.zhong2017 import draw_teacher, empirical_hessian
from workflow.scripts import step
from workflow.scripts.zhong2017 import (
    hessian_spectrum,
    measure_basin,
    recover,
    sample_hessian,
    starts,
    tensor_initialise,
    train_gd,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_starts_lie_where_they_are_said_to(rng):
    teacher = draw_teacher(rng, 5, 3)
    near = starts.start_near(rng, teacher, 0.1)
    assert np.linalg.norm(near - teacher) / np.linalg.norm(teacher) == pytest.approx(0.1)
    lengths = np.linalg.norm(starts.start_at_random(rng, (400, 50), 1.5), axis=0)
    assert lengths.mean() == pytest.approx(1.5, rel=0.02)


def test_hessians_of_nested_samples_are_those_of_their_inputs(rng):
    W, x = draw_teacher(rng, 3, 2), rng.standard_normal((50, 6))
    found = list(sample_hessian.nested_ends(W, x, [5, 20, 50], "tanh"))
    for n, ends in zip((5, 20, 50), found, strict=True):
        exact = np.linalg.eigvalsh(empirical_hessian(W, x[:n], "tanh"))[[0, -1]]
        np.testing.assert_allclose(ends, exact, atol=1e-13)


def sizes(**changes):
    return sample_hessian.Options(
        **dict(trials=1, activations=["tanh"], samples=[40, 10], cells=[[3, 2, 2]])
        | dict(growth=[[4, 2, 1]], growth_trials=2, growth_samples=10)
        | changes
    )


def test_hessians_are_measured_in_all_cells():
    table = sample_hessian.measure(sizes(), step.streams(0, "sample_hessian"))
    main = table[table.patch_size == 3]
    assert main.samples.tolist() == [10, 40] and set(main.activation) == {"tanh"}
    growth = table[table.patch_size == 4]
    assert growth.samples.tolist() == [10, 10] and growth.seed.tolist() == [0, 1]
    assert set(growth.activation) == {"squared_relu"}


def test_a_growth_without_samples_is_refused_with_its_key():
    with pytest.raises(ValueError, match=r"sample_hessian: .*growth_samples = 9; give a larger"):
        sample_hessian.measure(sizes(growth_samples=9), step.streams(0, "sample_hessian"))


def test_degenerate_teachers_are_what_their_names_say():
    options = hessian_spectrum.Options(
        trials=1, teachers=1, patches=[1], kernels=[2, 3, 4], angles=[0.1, 0.2], patch_sizes=[4, 6]
    )
    table = hessian_spectrum.measure(options, step.streams(0, "hessian_spectrum"))
    ratio = (table.smallest / table.largest).groupby(table.study)
    assert ratio.max()["duplicated"] < 1e-12 < 1e-7 < ratio.min()["rank 2"]
    kappa = table[table.study == "parallel"].groupby("activation").kappa
    assert kappa.first().to_numpy() == pytest.approx(1 / np.tan(0.05))


def test_monotonicity_is_known_where_the_gradient_is_closed():
    options = measure_basin.Options(
        trials=1,
        activations=["erf", "tanh"],
        radii=[0.01, 0.05],
        directions=2,
        patch_size=3,
        kernels=2,
        patches=1,
    )
    table = measure_basin.measure(options, step.streams(0, "measure_basin"))
    known = table.monotonicity.notna().groupby(table.activation).mean()
    assert known.to_dict() == {"erf": 1, "tanh": 0}
    # Near the truth the gradient is the Hessian's times the distance.
    erf = table[table.activation == "erf"]
    assert (erf.monotonicity > 0.9 * erf.smallest).all()


def test_rate_of_an_exact_geometric_sequence():
    rate, straight = train_gd.fit_rate(0.9 ** np.arange(200))
    assert (rate, straight) == pytest.approx((0.1, 1.0))
    assert np.isnan(train_gd.fit_rate(np.full(9, 1e-12))).all()


@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace"])
def test_inputs_have_mean_zero_and_variance_one(rng, law):
    x = tensor_initialise.draw_inputs(rng, law, 200_000)
    assert x.mean() == pytest.approx(0, abs=0.01)
    assert x.var() == pytest.approx(1, abs=0.02)


def test_moments_that_are_usual_are_marked():
    options = tensor_initialise.Options(
        case="order",
        trials=1,
        activations=["relu", "tanh"],
        samples=[100, 200],
        patch_sizes=[4],
        kernels=2,
        patches=[1],
        orders={"relu": [(2, 4), (2, 3)]},
    )
    table = tensor_initialise.measure(options, step.streams(0, "tensor_initialise"))
    marks = table.groupby(["activation", "orders"]).usual.first().to_dict()
    assert marks == {
        ("relu", "M_2 and M_4"): True,
        ("relu", "M_2 and M_3"): False,
        ("tanh", "M_3 and M_3"): True,
    }


def test_tables_of_recovery_share_their_draws():
    common = dict(
        activation="squared_relu",
        trials=2,
        patch_sizes=[3],
        kernels=2,
        patches=1,
        steps=5,
        tolerance=1e-9,
    )
    grid = recover.Options(case="grid", starts=["random", "local"], samples=[30, 60], **common)
    local = recover.Options(case="local", starts=["local"], samples=[30], **common)
    first, second = (
        recover.measure(options, step.streams(0, "recover")) for options in (grid, local)
    )
    shared = first[(first.start == "local") & (first.samples == 30)]
    assert shared.max_error.tolist() == second.max_error.tolist()
