"""Layers of torch modules as filters: what networks need of `shallow`, apart from the rest."""

from __future__ import annotations

from ._extras import extra

with extra("torch"):
    import torch


def by_filter(maps, filters_last):
    """Maps of any shape as (n, m, K)."""
    return maps.unsqueeze(1).flatten(1, -2).transpose(1, 2) if filters_last else maps.flatten(2)


def layer_filters(layer):
    """Filters of a layer, shape (m, h), the bias their last entry."""
    rows = [layer.weight.detach().flatten(1)]
    if layer.bias is not None:
        rows.append(layer.bias.detach()[:, None])
    return torch.cat(rows, dim=1).numpy()
