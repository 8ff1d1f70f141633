"""Write docs/examine.md: `cnntheory.examine` on a network that is trained on zeros and ones."""

import contextlib
import io
import os
from pathlib import Path

import matplotlib

from cnntheory import images

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "examine", "font.size": 8})

ROOT = Path(__file__).resolve().parents[1]
PARTS = [
    (
        """# Four theories, one network

A page that its own code makes (`make docs`); a test runs the code again. It needs the folder of
MNIST's four files and the extras `torch` and `report`.

A small convolutional network, trained by SGD on a hundred zeros and ones:""",
        """import numpy as np
import torch
from torch import nn
import cnntheory
from cnntheory import images

data = images.load("mnist")
pick = np.flatnonzero(data["train_labels"] < 2)[:100]
small = data["train_images"][pick].reshape(100, 7, 4, 7, 4).mean(axis=(2, 4)) / 255  # 7 x 7
x = torch.tensor(small, dtype=torch.float32)[:, None]
y = torch.tensor(2.0 * data["train_labels"][pick, None] - 1, dtype=torch.float32)


def train(model, weight_decay, epochs=100, lr=0.05):
    sgd = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
    for _ in range(epochs):
        for batch in torch.randperm(100).split(25):
            sgd.zero_grad()
            nn.functional.mse_loss(model(x[batch]), y[batch]).backward()
            sgd.step()


torch.manual_seed(0)
pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
first, last = nn.Conv2d(1, 8, 2, bias=False), nn.Linear(8, 1, bias=False)
small_net = nn.Sequential(first, nn.ReLU(), *pool, last)
train(small_net, weight_decay=1e-2)
report = cnntheory.examine(small_net, x, y, weight_decay=1e-2)
print(report)""",
    ),
    (
        """Read it from the third theory, which applies: **no** network with this convolution, of
any width, can have an objective much below this one's, and the bound is rigorous. The first and
the fourth say *why* they have nothing to promise here: on pixels gamma is far below 6 L_cross, and
the width that the theorem asks for is a number of sixty digits. A *no* does not mean that training
fails, as this network shows; it means that this theorem does not explain it. A *?* cannot be seen
in data.

The same as a figure, and as a table:""",
        """report.plot().savefig("examine.svg")
print(report.to_frame()[["paper", "asked", "holds", "value"]].to_string(index=False))""",
    ),
    (
        """![A panel a theory: gamma against 6 L_cross, why zhong2017 does not apply, objective and
lower bound, the loss under the frozen kernel](examine.svg)

A wide fully connected network with biases is outside of the first three, but its tangent kernel
says how it is trained. Given the state before training, the report says how far parameters and
kernel went:""",
        """torch.manual_seed(0)
wide = nn.Sequential(nn.Flatten(), nn.Linear(49, 1000), nn.ReLU(), nn.Linear(1000, 1))
before = {name: value.clone() for name, value in wide.state_dict().items()}
train(wide, weight_decay=0.0, epochs=30, lr=0.005)
print(cnntheory.examine(wide, x, y, before=before).text("allenzhu2019"))""",
    ),
    (
        """Where to go on: `report["ergen2021"].numbers` holds the numbers,
`ergen2021.certify_torch` the optimum as a PyTorch module, `du2018.check_condition` and
`allenzhu2019.tangent_report` the parts in full;
[library.md](library.md) has their reference. From a shell, with a model that
`cnntheory.together.save_model` wrote (layers and numbers, no code):

    python -m cnntheory examine model.pt --images mnist --classes 0 1 \\
        --samples 100 --weight-decay 0.01
""",
        None,
    ),
]


def run(code, names):
    """What a block prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "examine.md", "exec"), names)
    return out.getvalue()


def page(folder):
    """The page's text; MNIST is read from a folder, whatever the code says."""
    load, names = images.load, {}
    images.load = lambda _: load(folder)
    try:
        text = []
        for words, code in PARTS:
            text.append(words)
            if code is not None:
                text.append(f"```python\n{code}\n```")
                text.append(f"```text\n{run(code, names).rstrip()}\n```")
        return "\n\n".join(text)
    finally:
        images.load = load


if __name__ == "__main__":
    os.chdir(ROOT / "docs")
    _, folder = images.place()
    Path("examine.md").write_text(page(folder))
