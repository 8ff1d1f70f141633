import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import FrozenKernel, forward, tangent_kernel, tangent_report


class Middle(torch.nn.Module):
    """The paper's network of one trial as a user would write it."""

    def __init__(self, net):
        super().__init__()
        self.register_buffer("A", net.A[0])
        self.register_buffer("B", net.B[0])
        self.W = torch.nn.ParameterList([torch.nn.Parameter(W[0].clone()) for W in net.W])

    def forward(self, x):
        h = torch.relu(x @ self.A.T)
        for W in self.W:
            h = torch.relu(h @ W.T)
        output = h @ self.B.T
        return output[:, 0] if len(self.B) == 1 else output


class Residual(torch.nn.Module):
    """A layer that is used twice, one whose weights are shared, a free parameter, in place."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4)
        self.twice = torch.nn.Conv2d(4, 4, 3, padding="same", dilation=2, bias=False)
        self.tied = torch.nn.Conv2d(1, 4, 3, padding=1)
        self.tied.bias = self.first.bias
        self.last, self.scale = torch.nn.Linear(4, 3), torch.nn.Parameter(torch.arange(1.0, 4.0))
        self.relu = torch.nn.ReLU(inplace=True)

    def forward(self, x):
        h = self.relu(self.norm(self.first(x) - self.tied(x)))
        for _ in range(2):
            h = self.relu(self.twice(h) + h)
        return self.last(h.mean((2, 3))) * self.scale


class Tied(torch.nn.Module):
    """A weight that is used outside of its layer, too."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(64, 5)

    def forward(self, x):
        h = torch.relu(self.layer(x.flatten(1)))
        return torch.nn.functional.linear(h, self.layer.weight.T)[:, :3] * self.layer.weight.norm()


class Sequence(torch.nn.Module):
    """Samples on the second axis inside, and merged with positions."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(8, 6), torch.nn.Linear(6, 2)

    def forward(self, x):
        h = torch.tanh(self.first(x[:, 0, :6].transpose(0, 1)))  # six positions, six samples
        return self.second(h.reshape(-1, 6)).reshape(6, len(x), 2).sum(0)


def chain(*layers):
    return torch.nn.Sequential(*layers)


@pytest.mark.parametrize(
    "make",
    [
        Residual,
        Tied,
        Sequence,
        lambda: chain(
            torch.nn.Conv2d(1, 5, 3, stride=2, padding=(1, 2)),
            torch.nn.ReLU(inplace=True),
            torch.nn.Conv2d(5, 4, (2, 3), padding_mode="circular", padding=1),
            torch.nn.Tanh(),
            torch.nn.Flatten(),
            torch.nn.Linear(100, 3),
        ),
        lambda: chain(
            torch.nn.Flatten(1, 2),
            torch.nn.Conv1d(8, 6, 3, stride=2, padding=1, dilation=2),
            torch.nn.Conv1d(6, 4, 1, groups=2),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(12, 1, bias=False),
        ),
        # a linear layer at every position, its weights not trained
        lambda: chain(
            torch.nn.Linear(8, 5).requires_grad_(False),
            torch.nn.Linear(5, 5),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(40, 2),
        ),
    ],
    ids=["residual", "tied", "sequence", "2-D", "1-D", "positions"],
)
def test_the_kernel_is_the_product_of_the_jacobian_that_it_does_not_form(make):
    torch.manual_seed(0)
    model, x = make().double().eval(), torch.randn(6, 1, 8, 8, dtype=torch.float64)
    parameters = {k: p.detach() for k, p in model.named_parameters() if p.requires_grad}

    def outputs(parameters):
        return torch.func.functional_call(model, parameters, (x,)).reshape(-1)

    J = torch.cat([part.flatten(1) for part in torch.func.jacrev(outputs)(parameters).values()], 1)
    J = J.detach()
    K = tangent_kernel(model, x).matrix
    torch.testing.assert_close(K, J @ J.T, rtol=0, atol=1e-12 * float((J @ J.T).max()))
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_report_on_a_users_module_is_that_of_our_kernel(outputs, build, problem):
    net = build("fully", 1, 30, 2, outputs)
    x, y = problem(1, 5, 11)
    y = torch.stack([y, -y], dim=-1) if outputs == 2 else y
    frozen = FrozenKernel.at(net, x, y)
    values = torch.linalg.eigvalsh(frozen.kernel.matrix)[0]
    residual = forward(net, x).outputs - y.reshape(1, 5, outputs)
    report = tangent_report(Middle(net), x[0], y[0])
    assert report.lambda_min == pytest.approx(values[0].item())
    assert report.lambda_max == pytest.approx(values[-1].item())
    assert report.condition == pytest.approx((values[-1] / values[0]).item())
    assert report.rate == pytest.approx((1 - values[0] / values[-1]).item() ** 2)
    assert report.loss == pytest.approx(residual.square().sum().item() / 2)
    assert report.movement == pytest.approx(frozen.movement().item())
    assert (report.samples, report.outputs, report.parameters) == (5, outputs, 2 * 30**2)
    assert f"{report.condition:.4g}" in str(report)


def test_linear_regression_has_the_spectrum_of_its_data():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((4, 7)))
    model = torch.nn.Linear(7, 1, bias=False).double()
    y = torch.from_numpy(rng.standard_normal(4))
    report = tangent_report(model, x, y)
    values = np.linalg.svd(x.numpy(), compute_uv=False) ** 2
    assert report.lambda_max == pytest.approx(values[0])
    assert report.lambda_min == pytest.approx(values[-1])
    # The least change that fits, and one step at the rate's eta in the slowest mode.
    least = np.linalg.lstsq(x.numpy(), (model(x)[:, 0] - y).detach().numpy(), rcond=None)[0]
    assert report.movement == pytest.approx(np.linalg.norm(least))
    slowest = torch.from_numpy(np.linalg.svd(x.numpy())[0][:, -1])
    with torch.no_grad():
        y = model(x)[:, 0] - slowest
        model.weight -= report.step * (slowest @ x)
        assert (model(x)[:, 0] - y).square().sum().item() == pytest.approx(report.rate)


def test_duplicates_make_the_kernel_singular():
    x = torch.ones(2, 3)
    report = tangent_report(torch.nn.Linear(3, 1), x, torch.tensor([1.0, -1.0]))
    assert report.condition == report.movement == np.inf
    assert report.rate == pytest.approx(1)


def test_a_model_in_training_is_examined_in_evaluation_mode_and_left_as_it_is():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
    )
    x, y = torch.randn(5, 3), torch.randn(5)
    model(x)  # running statistics other than those of the start
    before = {name: value.clone() for name, value in model.state_dict().items()}
    report = tangent_report(model, x, y)
    assert report.evaluated and "evaluation mode" in str(report)
    assert model.training and all(module.training for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    again = tangent_report(model.eval(), x, y)
    assert not again.evaluated and again.lambda_max == report.lambda_max


def test_arrays_are_taken_in_the_precision_of_the_model():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 7)), rng.standard_normal(4)
    for model in (torch.nn.Linear(7, 1), torch.nn.Linear(7, 1).double()):
        dtype = model.weight.dtype
        report = tangent_report(model, x, y)
        tensors = tangent_report(model, torch.tensor(x, dtype=dtype), torch.tensor(y, dtype=dtype))
        assert report == tensors and f"torch.{report.dtype}" == str(dtype)


def test_a_kernel_that_single_precision_takes_for_singular_is_said_to_be():
    x = torch.tensor([[1.0, 0.0], [1.0, 1e-5]])
    y = torch.tensor([1.0, -1.0])
    model = torch.nn.Linear(2, 1, bias=False)
    assert "model.double()" in str(tangent_report(model, x, y))
    resolved = tangent_report(model.double(), x, y)
    assert resolved.condition == pytest.approx(4e10, rel=1e-3)
    assert "model.double()" not in str(resolved)


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (torch.nn.Linear(3, 1), torch.zeros(5), "y: expected a label for each of the 4 inputs"),
        (torch.nn.Linear(3, 2), torch.zeros(4), "y: expected the shape of the outputs"),
        (torch.nn.Flatten(), torch.zeros(4, 3), "model: expected trainable parameters"),
        (torch.nn.Linear(3, 1, bias=False), torch.zeros(4), "zero or not finite"),
    ],
)
def test_models_that_do_not_fit_are_refused(model, y, message):
    with pytest.raises(ValueError, match=message):
        tangent_report(model, torch.zeros(4, 3), y)
