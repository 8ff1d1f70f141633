"""What the steps of the paper add to the library."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from cnntheory.zhong2017 import (
    ACTIVATIONS,
    draw_teacher,
    empirical_hessian,
    network_output,
    population_hessian,
)
from workflow.scripts import step
from workflow.scripts.zhong2017 import (
    activations,
    hessian_spectrum,
    measure_basin,
    recover,
    sample_hessian,
    search_basin,
    starts,
    tensor_initialise,
    time_initialisation,
    train_gd,
    train_levenberg_marquardt,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_options_name_the_activations_that_qualify():
    named = set(get_args(activations.Activation))
    assert set(get_args(search_basin.Smooth)) == {a for a in named if ACTIVATIONS[a].smooth}
    for name in get_args(activations.Identifiable):
        assert set(ACTIVATIONS[name].orders) <= {2, 3, 4}
    assert set(get_args(activations.Identifiable)) == set(ACTIVATIONS) - {
        "linear",
        "quadratic",
        "cubic",
    }


def test_starts_lie_where_they_are_said_to(rng):
    teacher = draw_teacher(3, 5, rng=rng)
    near = starts.start_near(rng, teacher, 0.1)
    assert np.linalg.norm(near - teacher) / np.linalg.norm(teacher) == pytest.approx(0.1)
    lengths = np.linalg.norm(starts.start_at_random(rng, (50, 400), 1.5), axis=1)
    assert lengths.mean() == pytest.approx(1.5, rel=0.02)


def test_hessians_of_nested_samples_are_those_of_their_inputs(rng):
    W, x = draw_teacher(2, 3, rng=rng), rng.standard_normal((50, 2, 3))
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


def spectra(**changes):
    return hessian_spectrum.Options(
        **dict(trials=1, teachers=1, patches=[1], kernels=[2, 3, 4], angles=[0.1, 0.2])
        | dict(patch_sizes=[4, 6], searches=1, kappas=[1.5], scales=[0.5, 2.0], evaluations=20)
        | changes
    )


def test_degenerate_teachers_are_what_their_names_say():
    options = spectra()
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


def test_searched_teachers_have_the_condition_number_and_every_orientation(rng):
    W = hessian_spectrum.shaped(rng.standard_normal((50, 11)), 3, 1.5, [0.5, 2.0])
    singular = np.linalg.svd(W, compute_uv=False)
    np.testing.assert_allclose(singular[:, 0] / singular[:, -1], 1.5)
    assert (singular[:, -1] >= 0.5).all() and (singular[:, -1] <= 2.0).all()
    assert singular[:, -1].std() > 0.3 and (singular[:, 1] / singular[:, 2]).std() > 0.1
    gram = W @ np.swapaxes(W, 1, 2)
    assert (gram[:, 0, 1] > 0).any() and (gram[:, 0, 1] < 0).any()
    # An entry that no filter sees.
    assert (W[..., 3] == 0).all() and W.shape == (50, 3, 4)


def test_the_searched_teacher_is_nearer_to_the_bound_than_random_ones():
    rng = step.streams(0, "hessian_spectrum")
    options = spectra(evaluations=300, teachers=20)
    table = pd.DataFrame(
        dict(row, study=study)
        for measured in (hessian_spectrum.against_bound, hessian_spectrum.against_worst)
        for study, _, row in measured(options, rng)
    )
    ratio = (table.smallest / table.bound)[table.activation == "relu"].groupby(table.study).min()
    assert 1 < ratio["search"] < ratio["bound"]
    assert (table.evaluations.dropna() >= 300).all()


def searches(**changes):
    return search_basin.Options(
        **dict(trials=1, activations=["sigmoid"], sampled=["sigmoid"], radii=[0.02, 0.3, 0.6])
        | dict(evaluations=60, restarts=2, factors=[50], patch_size=3, kernels=2, patches=2)
        | changes
    )


def test_the_worst_direction_is_worse_than_random_ones_and_the_search_ends_there():
    table = search_basin.measure(searches(), step.streams(0, "search_basin"))
    assert set(table.samples) == {300.0, np.inf}
    population = table[np.isinf(table.samples)].set_index("radius").smallest
    # Up to the first radius that is not convex.
    assert population.index.tolist() == [0.0, 0.02, 0.3]
    assert population.iloc[-1] < 0 < population.iloc[0]
    draws = step.streams(0, "measure_basin")("teacher", 0)
    teacher = draw_teacher(2, 3, rng=draws)
    D = draws.standard_normal((20, 2, 3))
    D *= np.linalg.norm(teacher) / np.linalg.norm(D, axis=(1, 2), keepdims=True)
    random = population_hessian(teacher + 0.02 * D, "sigmoid", 2, teacher)
    assert population[0.02] < np.linalg.eigvalsh(random)[:, 0].min() < population[0.0]


def test_steepest_directions_are_those_of_a_planted_hessian():
    # H(W) = diag(1 - <a, W>, 2, ...): only the first curvature moves, along a.
    a = np.random.default_rng(1).standard_normal((2, 3))

    def hessian(W):
        H = np.broadcast_to(np.diag([1.0, 2, 3, 4, 5, 6]), (len(W), 6, 6)).copy()
        H += 0.01 * np.einsum("pij,ij->p", W, a)[:, None, None] * np.eye(6)
        H[:, 0, 0] -= np.einsum("pij,ij->p", W, a)
        return H

    found = search_basin.shaped(search_basin.steepest(hessian, np.zeros((2, 3)), 1e-3), a)
    cosine = (found * a).sum(axis=(1, 2)) / np.linalg.norm(a)
    np.testing.assert_allclose(abs(cosine), 1)
    assert set(np.round(cosine)) == {-1, 1}


def test_random_points_tell_the_mean_residual(rng):
    teacher = draw_teacher(2, 3, rng=rng)
    W = 1.3 * teacher[None]
    x = rng.standard_normal((200_000, 2, 3))
    y = network_output(teacher, x, "squared_relu")
    sampled = network_output(W, x, "squared_relu")[0] - y
    found = measure_basin.mean_residual(W, teacher, "squared_relu", 2)
    assert found[0] == pytest.approx(sampled.mean(), rel=0.02)


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


def test_the_first_patch_alone_is_another_estimate_than_all_patches():
    options = tensor_initialise.Options(
        case="published",
        trials=2,
        activations=["squared_relu"],
        samples=[600, 3000],
        patch_sizes=[4],
        kernels=2,
        patches=[3],
        methods=["published", "first patch"],
    )
    table = tensor_initialise.measure(options, step.streams(0, "tensor_initialise"))
    wide = table.pivot(index=["seed", "samples"], columns="method", values="distance")
    assert (wide["published"] != wide["first patch"]).all()
    # With one patch there is nothing else to see.
    one = tensor_initialise.measure(
        options.model_copy(update={"patches": [1]}), step.streams(0, "tensor_initialise")
    ).pivot(index=["seed", "samples"], columns="method", values="distance")
    assert one["published"].tolist() == one["first patch"].tolist()


def test_unknowns_are_recovered_from_as_many_samples_and_not_from_fewer():
    options = train_levenberg_marquardt.Options(
        case="exponents",
        trials=6,
        runs=[("local", "tanh"), ("tensor", "squared_relu")],
        cells=[(4, 2, 1, 2.0)],
        samples_per_unknown=[0.5, 1.0, 8.0],
        steps=200,
    )
    table = train_levenberg_marquardt.measure(options, step.streams(0, "train_levenberg_marquardt"))
    good = (table.max_error <= 0.01).groupby([table.start, table.samples]).mean()
    assert good["local", 4] == 0  # 8 unknowns
    assert good["local", 8] > 0.5
    assert good["local", 64] == 1
    assert good["tensor", 4] == 0
    assert good["tensor", 64] > 0.5
    # Below k t patches no tensor start exists: it is not recovered, and no error is made up.
    absent = table[(table.start == "tensor") & (table.samples == 4)]
    assert np.isinf(absent.max_error).all()


def test_seconds_are_told_for_every_cell():
    options = time_initialisation.Options(
        trials=2, activations=["tanh"], samples=50, kernels=2, cells=[(3, 2), (3, 4)]
    )
    table = time_initialisation.measure(options, step.streams(0, "time_initialisation"))
    assert (table.seconds > 0).all()
    assert table.groupby(["patch_size", "patches"]).size().tolist() == [2, 2]


def test_another_decomposition_sees_the_same_samples():
    common = dict(trials=2, activations=["squared_relu"], patch_sizes=[4], kernels=2, patches=[2])
    long = tensor_initialise.Options(case="published", samples=[500, 900], **common)
    short = tensor_initialise.Options(case="decomposition", samples=[200, 500], **common)
    first, second = (
        tensor_initialise.measure(options, step.streams(0, "tensor_initialise"))
        for options in (long, short)
    )
    shared = [table[table.samples == 500].distance.tolist() for table in (first, second)]
    assert shared[0] == shared[1]
