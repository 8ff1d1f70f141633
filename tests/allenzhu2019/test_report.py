import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import forward, gram_matrix, predicted_movement, tangent_report


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


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_the_report_on_a_users_module_is_that_of_our_kernel(outputs, chunk_size, build, problem):
    net = build("fully", 1, 30, 2, outputs)
    x, y = problem(1, 5, 11)
    y = torch.stack([y, -y], dim=-1) if outputs == 2 else y
    K = gram_matrix(net, x)
    values = torch.linalg.eigvalsh(K)[0]
    residual = forward(net, x).outputs - y.reshape(1, 5, outputs)
    report = tangent_report(Middle(net), x[0], y[0], chunk_size=chunk_size)
    assert report.lambda_min == pytest.approx(values[0].item())
    assert report.lambda_max == pytest.approx(values[-1].item())
    assert report.condition == pytest.approx((values[-1] / values[0]).item())
    assert report.rate == pytest.approx((1 - values[0] / values[-1]).item() ** 2)
    assert report.loss == pytest.approx(residual.square().sum().item() / 2)
    assert report.movement == pytest.approx(predicted_movement(K, residual).item())
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


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (torch.nn.Linear(3, 2), torch.zeros(4), "y: expected the shape of the outputs"),
        (torch.nn.Flatten(), torch.zeros(4, 3), "model: expected trainable parameters"),
        (torch.nn.Linear(3, 1, bias=False), torch.zeros(4), "zero or not finite"),
    ],
)
def test_models_that_do_not_fit_are_refused(model, y, message):
    with pytest.raises(ValueError, match=message):
        tangent_report(model, torch.zeros(4, 3), y)
