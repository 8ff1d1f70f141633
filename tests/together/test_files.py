import pytest
import torch
from torch import nn

from cnntheory.together import load_model, save_model
from cnntheory.together.files import LAYERS

ARGUMENTS = {"Linear": (3, 2), "Conv1d": (2, 3, 2), "Conv2d": (2, 3, 2), "Unflatten": (1, (1, 2))}
ARGUMENTS |= {"BatchNorm1d": (3,), "BatchNorm2d": (3,)}


def test_a_chain_computes_the_same_from_its_file(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Unflatten(1, (1, 14, 14)),
        nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.LeakyReLU(0.2),
        nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(2, 1)),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 3),
    )
    x = torch.randn(5, 196)
    model(x)  # running statistics other than those of the start
    save_model(model, tmp_path / "model.pt")
    again = load_model(tmp_path / "model.pt").eval()
    assert torch.equal(again(x), model.eval()(x))


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_comes_back(name, tmp_path):
    arguments = ARGUMENTS.get(name, (2,) if "Pool" in name else ())
    layer = getattr(nn, name)(*arguments)
    save_model(nn.Sequential(layer), tmp_path / "model.pt")
    assert repr(load_model(tmp_path / "model.pt")[0]) == repr(layer)


class Custom(nn.Linear):
    pass


def test_precision_and_what_is_not_trained_come_back(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)).double()
    model[0].requires_grad_(False)
    save_model(model, tmp_path / "model.pt")
    again = load_model(tmp_path / "model.pt")
    assert [p.dtype for p in again.parameters()] == [torch.float64] * 4
    assert [p.requires_grad for p in again.parameters()] == [False, False, True, True]


def test_layers_with_hooks_and_layers_that_stand_twice_are_refused(tmp_path):
    layer, hooked = nn.Linear(2, 2), nn.Linear(2, 2)
    hooked.register_forward_hook(lambda *_: None)
    for layers, message in (([layer, layer], "twice"), ([hooked], "cannot be stored")):
        with pytest.raises(ValueError, match=message):
            save_model(nn.Sequential(*layers), tmp_path / "model.pt")


def test_what_needs_code_is_refused_by_name(tmp_path):
    for layer, name in ((Custom(2, 1), "Custom"), (nn.GELU(), "GELU")):
        with pytest.raises(ValueError, match=rf"layer model\.1: {name}"):
            save_model(nn.Sequential(nn.Flatten(), layer), tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())


def test_pickles_of_code_and_other_files_are_refused(tmp_path):
    model, path = nn.Sequential(nn.Linear(2, 1)), tmp_path / "model.pt"
    torch.save(model, path)
    with pytest.raises(ValueError, match="more than numbers and names"):
        load_model(path)
    torch.save(model.state_dict(), path)
    with pytest.raises(ValueError, match="a state_dict alone"):
        load_model(path)
    path.write_bytes(b"PK\3\4 broken")
    with pytest.raises(ValueError, match="damaged"):
        load_model(path)
    known = {"format": "cnntheory model 1", "layers": [["Module", {}]], "state": {}, "frozen": []}
    torch.save(known, path)
    with pytest.raises(ValueError, match="layer Module"):
        load_model(path)
