"""Models in files that hold numbers and names, and no code.

A chain of layers is stored as the names and options of its layers beside its tensors; reading it
runs nothing but the constructors of the layers listed in `LAYERS`.
"""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

from .._extras import extra

with extra("torch"):
    import torch
    from torch import nn

_FORMAT = "cnntheory model 1"
LAYERS = (
    *("Linear", "Conv1d", "Conv2d", "Flatten", "Unflatten", "Identity", "Dropout"),
    *("ReLU", "LeakyReLU", "Tanh", "Sigmoid", "Softplus", "BatchNorm1d", "BatchNorm2d"),
    *(f"{kind}Pool{d}d" for d in (1, 2) for kind in ("Avg", "Max")),
    *(f"Adaptive{kind}Pool{d}d" for d in (1, 2) for kind in ("Avg", "Max")),
)
_NOT_STORED = ("self", "device", "dtype")


def save_model(model, path):
    """Write a chain of layers to a file without code.

    Parameters
    ----------
    model : torch.nn.Sequential
        Of the layers in `LAYERS`; a chain in a chain is written as one.
    path : path

    Raises
    ------
    ValueError
        A layer is not among them: it is named.
    """
    chain = _chain(model, "model")
    layers = [_describe(name, layer) for name, layer in chain]
    parts = [layer for _, layer in chain]
    if len({id(layer) for layer in parts}) < len(parts):
        raise ValueError("model: a layer stands twice in the chain, which cannot be stored")
    flat = nn.Sequential(*parts)
    frozen = [name for name, p in flat.named_parameters() if not p.requires_grad]
    stored = {"layers": layers, "state": flat.state_dict(), "frozen": frozen}
    torch.save({"format": _FORMAT} | stored, path)


def load_model(path):
    """Read a file that `save_model` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        The file is not one of these, or names a layer that is not in `LAYERS`.
    """
    try:
        found = torch.load(Path(path), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(
            f"{path}: expected a file of cnntheory.together.save_model, found one that holds more "
            f"than numbers and names, or is damaged ({type(error).__name__})"
        ) from error
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise ValueError(
            f"{path}: expected a file of cnntheory.together.save_model, which a state_dict alone "
            "is not: the layers are needed"
        )
    try:
        model = nn.Sequential(*(_build(*each) for each in found["layers"]))
        model.load_state_dict(found["state"], assign=True)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name not in found["frozen"])
    except (TypeError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path}: its layers do not fit: {error}") from error
    return model


def _chain(model, name):
    """Names and layers of a chain, chains in it opened."""
    if not isinstance(model, nn.Sequential):
        return [(name, model)]
    return [
        each for key, layer in model._modules.items() for each in _chain(layer, f"{name}.{key}")
    ]


def _describe(name, layer):
    """Name of a layer's class and its options."""
    kind = type(layer).__name__
    hooked = layer._forward_pre_hooks or layer._forward_hooks
    if kind not in LAYERS or type(layer) is not getattr(nn, kind) or hooked:
        raise ValueError(
            f"layer {name}: {kind} cannot be stored without code; known are {', '.join(LAYERS)}"
        )
    options = {}
    for option in inspect.signature(type(layer).__init__).parameters:
        if option in _NOT_STORED or not hasattr(layer, option):
            continue
        value = getattr(layer, option)
        options[option] = value is not None if option == "bias" else value
    return [kind, {key: _plain(value) for key, value in options.items()}]


def _plain(value):
    """Numbers, words and lists of them."""
    return [_plain(each) for each in value] if isinstance(value, tuple | torch.Size) else value


def _build(kind, options):
    if kind not in LAYERS:
        raise ValueError(f"layer {kind}: expected one of {', '.join(LAYERS)}")
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return getattr(nn, kind)(**options)
