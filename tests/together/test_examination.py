"""`examine` against what the packages of the four papers say, and against closed forms."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import cnntheory
from cnntheory import du2018, ergen2021, zhong2017
from cnntheory.__main__ import main
from cnntheory.allenzhu2019 import tangent_report
from cnntheory.together import load_model, save_model

PAPERS = ["du2018", "zhong2017", "ergen2021", "allenzhu2019"]


class Total(nn.Module):
    def forward(self, x):
        return x.flatten(1).sum(1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)

    def forward(self, x):
        return torch.relu(x + self.norm(self.conv(x)))


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_one_relu_filter_on_gaussian_inputs_is_the_case_of_du2018():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 1, bias=False), nn.ReLU(), nn.Flatten(0))
    x = gaussian(20_000, 3)
    report = cnntheory.examine(model, x, np.maximum(x[:, 0], 0))
    found = report["du2018"]
    # Whether labels are those of such a filter is not to be seen.
    assert found.status == "cannot be decided"
    # One patch: the regions are disjoint and L_cross is 0; at w* the law has gamma = L = 1/2.
    assert found.numbers["l_cross"] == 0
    exact = du2018.gaussian_constants(np.array([0.0]))
    assert found.numbers["gamma"] == pytest.approx(exact.gamma[0], rel=0.1)
    assert found.numbers["lipschitz"] == pytest.approx(exact.lipschitz[0], rel=0.1)
    # Of a sample a few inputs at the boundary make beta larger than that of its law.
    assert found.numbers["beta"] >= 0.9 / np.pi
    assert 0 < found.numbers["rate"] < 1 and "not refuted" in found.conclusions[0]


def test_several_smooth_filters_on_gaussian_patches_are_the_case_of_zhong2017():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 2, 4, stride=4, bias=False), nn.Tanh(), Total()).double()
    x = gaussian(3000, 1, 12)
    with torch.no_grad():
        y = model(torch.tensor(x))
    found = cnntheory.examine(model, x, y)["zhong2017"]
    assert found.status == "cannot be decided"
    assert all(each.holds is not False for each in found.hypotheses)
    filters, patches = model[0].weight.detach().numpy()[:, 0], x.reshape(3000, 3, 4)
    hessian = zhong2017.empirical_hessian(filters, patches, "tanh", y.numpy())
    assert found.numbers["least_eigenvalue"] == pytest.approx(np.linalg.eigvalsh(hessian)[0])
    values = np.linalg.svd(filters, compute_uv=False)
    assert found.numbers["kappa"] == pytest.approx(values[0] / values[1])
    # the same patches, but those of pixels
    other = cnntheory.examine(model, np.abs(x), y)["zhong2017"]
    assert other.status == "does not apply"
    assert [each.holds for each in other.hypotheses if "normal" in each.asked] == [False]


def test_common_and_positive_output_weights_are_folded():
    x = gaussian(500, 6)
    for activation, weights, scale in ((nn.ReLU(), [2.0, 3.0], None), (nn.Tanh(), [2.0, 2.0], 2.0)):
        model = nn.Sequential(
            nn.Linear(6, 2, bias=False), activation, nn.Linear(2, 1, bias=False)
        ).double()
        model[2].weight.data = torch.tensor([weights], dtype=torch.float64)
        y = gaussian(500, seed=1)
        found = cnntheory.examine(model, x, y)["zhong2017"]
        filters = model[0].weight.detach().numpy()
        filters, y = (filters, y / scale) if scale else (filters * np.array([[2.0], [3.0]]), y)
        name = "tanh" if scale else "relu"
        hessian = zhong2017.empirical_hessian(filters, x[:, None], name, y)
        assert found.numbers["least_eigenvalue"] == pytest.approx(np.linalg.eigvalsh(hessian)[0])


def test_the_lower_bound_is_that_of_the_convex_program():
    torch.manual_seed(0)
    layers = nn.Conv1d(1, 3, 2, bias=False), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()
    model = nn.Sequential(*layers, nn.Linear(3, 1, bias=False)).double()
    x, y = gaussian(12, 1, 4), gaussian(12, seed=1)
    report = cnntheory.examine(model, x, y, weight_decay=0.05)
    found = report["ergen2021"]
    direct = ergen2021.certify_torch(model, x, y, loss="mse", weight_decay=0.05)
    assert found.status == "applies"
    assert found.numbers["dual_bound"] == direct.dual_bound
    assert report.objective == pytest.approx(direct.objective, rel=1e-12)
    without = cnntheory.examine(model, x, y)["ergen2021"]
    assert without.status == "does not apply" and "weight_decay" in without.because[0]


def test_the_kernel_is_that_of_the_tangent_report():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 2)
    )
    x, y = gaussian(8, 4), gaussian(8, 2, seed=1)
    found = cnntheory.examine(model, x, y, before=model.state_dict())["allenzhu2019"]
    direct = tangent_report(copy.deepcopy(model).double(), x, y)
    assert found.numbers["lambda_min"] == pytest.approx(direct.lambda_min)
    assert found.numbers["movement"] == pytest.approx(direct.movement)
    # n^24 and delta^-8: nothing follows from the theorem
    assert found.status == "does not apply" and found.numbers["log10_width"] > 20
    assert found.numbers["kernel_change"] == found.numbers["moved"] == 0
    moved = copy.deepcopy(model)
    with torch.no_grad():
        moved[0].weight[0, 0] += 3
    found = cnntheory.examine(model, x, y, before=moved)["allenzhu2019"]
    assert found.numbers["moved"] == pytest.approx(3)
    assert found.numbers["kernel_change"] > 0


MODELS = {
    "residual": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        Block(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    ),
    "deep": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(36, 9), nn.ReLU(), nn.Linear(9, 9), nn.GELU(), nn.Linear(9, 3)
    ),
    "unpooled": lambda: nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(32, 3)
    ),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3)),
    "frozen": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).requires_grad_(False),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_any_module_is_examined_and_left_as_it_is(name, loss):
    torch.manual_seed(0)
    model = MODELS[name]().train()
    before = copy.deepcopy(model.state_dict())
    labels = np.arange(10) % 3
    report = cnntheory.examine(model, gaussian(10, 1, 6, 6), labels, loss=loss, weight_decay=0.1)
    assert [theory.paper for theory in report.theories] == PAPERS
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert model.training and all(p.grad is None for p in model.parameters())
    for theory in report.theories:
        assert theory.status in str(report).lower()
        assert theory.because or theory.status == "applies" or theory.hypotheses
        for each in theory.hypotheses:
            assert each.rigour and each.asked in report._repr_html_().replace("&gt;", ">")
    frame = report.to_frame()
    assert len(frame) == sum(len(theory.hypotheses) for theory in report.theories)


def test_the_objective_is_what_torch_minimises():
    torch.manual_seed(0)
    model = MODELS["deep"]().double()
    x, labels = torch.tensor(gaussian(10, 1, 6, 6)), torch.arange(10) % 3
    decay = 0.05 * sum(float(p.detach().square().sum()) for p in model.parameters())
    with torch.no_grad():
        outputs = model(x)
    one_hot = nn.functional.one_hot(labels, 3).double()
    for loss, value in (
        ("mse", nn.functional.mse_loss(outputs, one_hot)),
        ("cross_entropy", nn.functional.cross_entropy(outputs, labels)),
    ):
        report = cnntheory.examine(model, x, labels, loss=loss, weight_decay=0.1)
        assert report.objective == pytest.approx(float(value) + decay, rel=1e-12)


def test_the_figure_has_a_panel_a_theory():
    pytest.importorskip("matplotlib").use("Agg")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
    report = cnntheory.examine(model, gaussian(9, 4), gaussian(9, seed=1), weight_decay=0.1)
    figure = report.plot()
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == [f"{each.paper}: {each.status}" for each in report.theories]
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": np.zeros(4)}, "labels: expected one for each of the 5 images, found 4"),
        ({"labels": np.zeros((5, 3))}, r"labels: expected shape \(5,\) or that of the outputs"),
        ({"labels": np.full(5, 7)}, "labels: expected classes 0 to 1, found 7"),
        ({"labels": np.zeros((5, 2)), "loss": "cross_entropy"}, "labels: expected classes"),
        ({"loss": "hinge"}, "loss: expected one of mse, cross_entropy"),
        ({"weight_decay": -1.0}, "weight_decay: expected a number of at least 0"),
        ({"before": {}}, "before: not a state of this model"),
        ({"before": "model.pt"}, "before: not a state of this model"),
        ({"labels": np.full(5, np.nan)}, "labels: expected finite entries"),
    ],
)
def test_what_cannot_be_examined_is_refused_by_name(arguments, message):
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2))
    arguments = {"labels": np.arange(5) % 2} | arguments
    with pytest.raises(ValueError, match=message):
        cnntheory.examine(model, gaussian(5, 3), **arguments)


def test_the_command_line_says_the_same(tmp_path, capsys):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
    save_model(model, tmp_path / "model.pt")
    pixels = np.random.default_rng(0).integers(0, 256, (30, 4, 4)).astype(np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    np.save(tmp_path / "labels.npy", np.arange(30) % 3)
    words = ["examine", str(tmp_path / "model.pt"), "--images", str(tmp_path / "images.npy")]
    labels = ["--labels", str(tmp_path / "labels.npy"), "--classes", "0", "1", "--samples", "12"]
    more = ["--table", str(tmp_path / "table.csv"), "--before", str(tmp_path / "model.pt")]
    assert main([*words, *labels, *more]) == 0
    x = pixels[np.arange(30) % 3 < 2][:12] / 255.0
    y = np.tile([-1.0, 1.0], 6)
    report = cnntheory.examine(load_model(tmp_path / "model.pt"), x, y, before=model)
    assert str(report) in capsys.readouterr().out
    assert (tmp_path / "table.csv").read_text().count("\n") > 5
    assert main(words) == 1
    assert "holds no labels; name a file with --labels" in capsys.readouterr().err


def test_the_command_line_takes_a_folder_of_images(tmp_path, capsys):
    for name, array in {
        "train-images-idx3-ubyte": np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4),
        "train-labels-idx1-ubyte": np.array([0, 1, 2, 0, 1, 2], np.uint8),
    }.items():
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
        (tmp_path / name).write_bytes(head + array.tobytes())
    first, last = nn.Conv2d(1, 2, 3), nn.Linear(8, 1, bias=False)
    save_model(nn.Sequential(first, nn.ReLU(), nn.Flatten(), last), tmp_path / "model.pt")
    words = ["examine", str(tmp_path / "model.pt"), "--images", str(tmp_path)]
    assert main([*words, "--classes", "0", "2"]) == 0
    assert "on 4 inputs" in capsys.readouterr().out
    # what the model cannot take is one line
    save_model(nn.Sequential(nn.Linear(3, 1)), tmp_path / "other.pt")
    assert main(["examine", str(tmp_path / "other.pt"), *words[2:], "--classes", "0", "2"]) == 1
    assert "model: cannot be run on images (4, 1, 4, 4)" in capsys.readouterr().err


def test_a_negative_output_weight_and_sums_are_told_apart_from_the_theorems_network():
    x = gaussian(300, 3)
    model = nn.Sequential(nn.Linear(3, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False))
    for weight, status in ((0.8, "cannot be decided"), (-0.8, "does not apply")):
        model[2].weight.data.fill_(weight)
        assert cnntheory.examine(model, x, x[:, 0])["du2018"].status == status
    # the sum over k equal patches is the mean of patches k times as long
    one = nn.Sequential(nn.Conv1d(1, 1, 3, stride=3, bias=False), nn.ReLU(), Total())
    equal = np.tile(x, 4)[:, None]
    step = cnntheory.examine(one, equal, x[:, 0])["du2018"].numbers["step"]
    single = cnntheory.examine(one, x[:, None], x[:, 0])["du2018"].numbers["step"]
    assert step == pytest.approx(single / 16)


def test_zero_curvature_is_called_flat():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), Total())
    model[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    x = np.abs(gaussian(50, 2))  # the second filter is dead
    found = cnntheory.examine(model, x, x[:, 0])["zhong2017"]
    assert "flat in some direction" in found.conclusions[0]


def test_a_theory_that_cannot_treat_a_network_destroys_no_report():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    model[0].weight.data.fill_(0), model[0].bias.data.fill_(-1), model[2].weight.data.fill_(0)
    model[2].requires_grad_(False)  # dead: its Jacobian is zero
    report = cnntheory.examine(model, gaussian(5, 3), gaussian(5))
    assert report["allenzhu2019"].status == "does not apply"
    assert "Jacobian" in report["allenzhu2019"].because[0]
    assert cnntheory.examine(model, gaussian(1, 3), gaussian(1)).theories
