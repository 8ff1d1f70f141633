"""The network of Du, Lee & Tian: one ReLU filter averaged over patches, and its gradients.

``f(w, Z) = (1/k) sum_i relu(w^T Z_i)``; one neuron is the case k = 1. Everywhere `patches`
are ``(..., n, k, p)``, and filters stand on leading axes, ``(..., p)``, so that all trials of a
step are computed together.
"""

import numpy as np

# S(w, w*), S(w, -w*) and S(-w, w*): where a patch activates both filters, w alone, w* alone.
REGIONS = ("pp", "pm", "mp")


def predict(filters, patches):
    """Outputs ``f(w, Z)`` of the network.

    Parameters
    ----------
    filters : (..., m, p) array
        m filters w a batch entry.
    patches : (..., n, k, p) array
        n inputs of k patches each; leading axes broadcast against those of `filters`.

    Returns
    -------
    (..., n, m) ndarray
    """
    *lead, n, k, p = patches.shape
    rows = patches.reshape(*lead, n * k, p)
    # Filters first: then all reductions run along contiguous memory.
    activations = filters @ np.swapaxes(rows, -1, -2)
    np.maximum(activations, 0, out=activations)
    outputs = activations.reshape(*activations.shape[:-1], n, k).mean(axis=-1)
    return np.swapaxes(outputs, -1, -2)


def loss(filters, w_star, patches):
    """Empirical loss ``1/2 mean (f(w, Z) - f(w*, Z))^2``, shape ``(..., m)``.

    Parameters
    ----------
    filters, w_star : (..., m, p) arrays
        Filters and their teachers.
    patches : (..., n, k, p) array
    """
    return 0.5 * ((predict(filters, patches) - predict(w_star, patches)) ** 2).mean(axis=-2)


def empirical_gradient(filters, w_star, patches, noise=None):
    """Gradient of `loss` with respect to the filters.

    Parameters
    ----------
    filters : (..., m, p) array
    w_star : (..., g, p) array
        Their teachers, each of m / g consecutive filters: one for all, or for each its own.
    patches : (..., n, k, p) array
    noise : (..., n, m) array, optional
        Added to the labels ``f(w*, Z)``.

    Returns
    -------
    (..., m, p) ndarray

    Notes
    -----
    The derivative of the ReLU at 0 is taken as 0.
    """
    *lead, n, k, p = patches.shape
    rows = patches.reshape(*lead, n * k, p)
    m = filters.shape[-2]
    # One product for the filters and their teachers, so that the patches are read once; filters
    # first, so that all reductions run along contiguous memory.
    both = np.concatenate([filters, w_star], axis=-2) @ np.swapaxes(rows, -1, -2)
    active = both > 0
    both *= active
    # As a product, the mean of short rows takes a quarter of the time.
    outputs = both.reshape(*both.shape[:-1], n, k) @ np.full(k, 1 / k, both.dtype)
    active = active[..., :m, :].reshape(*both.shape[:-2], m, n, k)
    residual = outputs[..., :m, :] - outputs[..., m:, :].repeat(m // w_star.shape[-2], axis=-2)
    if noise is not None:
        residual = residual - np.swapaxes(noise, -1, -2)
    weighted = active * (residual / (n * k))[..., None]
    return weighted.reshape(*both.shape[:-2], m, n * k) @ rows


def region_means(w, w_star, patches, regions=REGIONS):
    """The vectors Z_pp, Z_pm, Z_mp of the convolutional analysis (section 3 of the paper).

    Parameters
    ----------
    w, w_star : (p,) arrays
    patches : (n, k, p) array
    regions : sequence of str, optional
        Those that are asked for.

    Returns
    -------
    z_pp, z_pm, z_mp : (n, p) ndarrays
        ``(1/k) sum_i Z_i 1{Z_i in region}`` for S(w, w*), S(w, -w*), S(-w, w*); then
        ``f(w) - f(w*) = z_pp^T (w - w*) + z_pm^T w - z_mp^T w*``.
    """
    *lead, k, p = patches.shape
    rows = patches.reshape(-1, p)  # two products, not two for every input
    on, star = ((rows @ filter_).reshape(*lead, k) > 0 for filter_ in (w, w_star))
    inside = {"pp": on & star, "pm": on & ~star, "mp": ~on & star}
    return tuple(
        np.einsum("nk,nkp->np", inside[region].astype(patches.dtype), patches) / k
        for region in regions
    )


def neuron_gradient(w, w_star, a_pp, a_pm):
    """Population gradient of one neuron, ``A_{w,w*} (w - w*) + A_{w,-w*} w``.

    Parameters
    ----------
    w, w_star : (..., p) arrays
    a_pp, a_pm : (..., p, p) arrays
        Second moments ``E[Z Z^T 1{S(w, w*)}]`` and ``E[Z Z^T 1{S(w, -w*)}]``.

    Returns
    -------
    (..., p) ndarray
    """
    return np.einsum("...ij,...j->...i", a_pp, w - w_star) + np.einsum("...ij,...j->...i", a_pm, w)


def convolution_gradient(w, w_star, moments):
    """Population gradient of the convolutional filter.

    ``E[(Z_pp + Z_pm) (Z_pp^T (w - w*) + Z_pm^T w - Z_mp^T w*)]``.

    Parameters
    ----------
    w, w_star : (..., p) arrays
    moments : mapping
        ``(..., p, p)`` arrays under the keys ``"pp,pp"``, ``"pm,pm"``, ``"pp,pm"``, ``"pp,mp"``,
        ``"pm,mp"``: the products ``E[Z_a Z_b^T]``.

    Returns
    -------
    (..., p) ndarray
    """
    towards = moments["pp,pp"] + np.swapaxes(moments["pp,pm"], -1, -2)
    wrong = moments["pp,pm"] + moments["pm,pm"]
    missed = moments["pp,mp"] + moments["pm,mp"]
    return (
        np.einsum("...ij,...j->...i", towards, w - w_star)
        + np.einsum("...ij,...j->...i", wrong, w)
        - np.einsum("...ij,...j->...i", missed, w_star)
    )


def gaussian_gradient(w, w_star):
    """Population gradient of one neuron for inputs N(0, I_p), in closed form, for every p.

    ``(w - w*)/2 + (phi w* - |w*| sin(phi) w/|w|) / (2 pi)``; inputs uniform on the unit sphere
    give the same divided by p.

    Parameters
    ----------
    w, w_star : (..., p) arrays
        Undefined at ``w = 0``.

    Returns
    -------
    (..., p) ndarray
    """
    phi = angle(w, w_star)[..., None]
    length = np.linalg.norm(w, axis=-1, keepdims=True)
    star = np.linalg.norm(w_star, axis=-1, keepdims=True)
    turn = phi * w_star - star * np.sin(phi) * w / length
    return (w - w_star) / 2 + turn / (2 * np.pi)


def gaussian_loss(w, w_star):
    """Population loss of one neuron for inputs N(0, I_p): ``1/2 E (relu(w^T z) - relu(w*^T z))^2``.

    From ``E relu(w^T z)^2 = |w|^2 / 2`` and the arc-cosine kernel
    ``E relu(w^T z) relu(w*^T z) = |w| |w*| (sin phi + (pi - phi) cos phi) / (2 pi)``.

    Parameters
    ----------
    w, w_star : (..., p) arrays
        Not 0, where the angle is undefined; the limit there is ``|w*|^2 / 4``.

    Returns
    -------
    (...) ndarray
    """
    phi = angle(w, w_star)
    length, star = np.linalg.norm(w, axis=-1), np.linalg.norm(w_star, axis=-1)
    kernel = length * star * (np.sin(phi) + (np.pi - phi) * np.cos(phi)) / (2 * np.pi)
    return (length**2 + star**2) / 4 - kernel


def angle(w, w_star):
    """Angle theta(w, w*) in [0, pi], accurate also near 0 and pi; shape ``(...)``."""
    a = w / np.linalg.norm(w, axis=-1, keepdims=True)
    b = w_star / np.linalg.norm(w_star, axis=-1, keepdims=True)
    return 2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))


def signed_angle(w):
    """Signed angle of a filter in the plane to ``w* = |w*| e_1``, in [-pi, pi]; shape ``(...)``."""
    return np.arctan2(w[..., 1], w[..., 0])
