"""Norms of one group of variables: what weight decay becomes in the convex programs.

A penalty is the same for all groups of a program, strength included. It knows its value, its dual
norm, and the barrier of its epigraph: eliminating ``t`` from ``w t - mu log(t^2 - r^2)`` leaves a
function ``psi`` of ``r`` with ``psi'(r) = w^2 r / (mu + R)``, ``R = sqrt(mu^2 + w^2 r^2)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class BlockNorm:
    """Weighted sum of the l2 norms of sub-blocks: group l2, Frobenius, spectral l1.

    Attributes
    ----------
    labels : ndarray of int, shape (p,)
        Sub-block of each coordinate.
    weights : ndarray, shape (blocks,)
        Weight of each sub-block's norm, positive.
    """

    labels: np.ndarray
    weights: np.ndarray

    def value(self, z):
        """The norm of each group of ``z (groups, p)``, shape (groups,)."""
        return np.sqrt(z**2 @ self._one_hot()) @ self.weights

    def dual(self, g):
        """The dual norm of each group, shape (groups,): at most 1 where ``g`` is feasible."""
        return (np.sqrt(g**2 @ self._one_hot()) / self.weights).max(axis=1)

    def times(self, factor):
        """The same norm, `factor` times as strong."""
        return replace(self, weights=factor * self.weights)

    def barrier(self, z, mu):
        """Gradient (groups, p) and Hessian (groups, p, p) of ``psi``, summed over the blocks."""
        one_hot = self._one_hot()
        same = one_hot @ one_hot.T
        w2 = self.weights[self.labels] ** 2
        root = np.sqrt(mu**2 + w2 * (z**2 @ same))
        flatness = w2 / (mu + root)
        bend = w2**2 / (root * (mu + root) ** 2)
        hessian = -(bend * z)[:, :, None] * z[:, None, :] * same
        diagonal = np.arange(z.shape[1])
        hessian[:, diagonal, diagonal] += flatness
        return flatness * z, hessian

    def _one_hot(self):
        return np.eye(len(self.weights))[self.labels]


@dataclass(frozen=True)
class NuclearNorm:
    """``weight |Z|_*`` of groups that are matrices.

    Attributes
    ----------
    shape : tuple of int
        Shape ``(h, K)`` of a group.
    weight : float
        Positive.
    """

    shape: tuple[int, int]
    weight: float

    def value(self, z):
        """The norm of each group of ``z (groups, p)``, shape (groups,)."""
        singular = np.linalg.svd(z.reshape(-1, *self.shape), compute_uv=False)
        return self.weight * singular.sum(axis=1)

    def dual(self, g):
        """The dual norm of each group, shape (groups,): at most 1 where ``g`` is feasible."""
        singular = np.linalg.svd(g.reshape(-1, *self.shape), compute_uv=False)
        return singular[:, 0] / self.weight

    def times(self, factor):
        """The same norm, `factor` times as strong."""
        return replace(self, weight=factor * self.weight)

    def barrier(self, z, mu):
        """Gradient (groups, p) and Hessian (groups, p, p) of ``psi`` of each singular value."""
        h, K = self.shape
        if h < K:  # Work with the tall transpose.
            order = np.arange(h * K).reshape(h, K).T.ravel()
            gradient, hessian = NuclearNorm((K, h), self.weight).barrier(z[:, order], mu)
            back = np.argsort(order)
            return gradient[:, back], hessian[:, back][:, :, back]
        U, s, Vt = np.linalg.svd(z.reshape(-1, h, K))
        s = np.maximum(s, 1e-200)
        padded = np.concatenate([s, np.zeros((len(s), h - K))], axis=1)
        root = np.sqrt(mu**2 + self.weight**2 * padded**2)
        gradient = (U[:, :, :K] * (self.weight**2 * s / (mu + root[:, :K]))[:, None]) @ Vt
        a, b, ra, rb = padded[:, :, None], s[:, None], root[:, :, None], root[:, None, :K]
        mixed = (a * rb + b * ra) / (a + b)
        scale = self.weight**2 / ((mu + ra) * (mu + rb))
        # Divided differences of psi' on the even and odd parts of the pair (i, j), (j, i).
        even, odd = scale * (mu + mu**2 / mixed), scale * (mu + mixed)
        keep, swap = (even + odd) / 2, (even - odd) / 2
        basis = np.einsum("gai,gjb->gijab", U, Vt).reshape(len(z), h, K, h * K)
        image = keep[..., None] * basis
        image[:, :K] += swap[:, :K, :, None] * basis[:, :K].transpose(0, 2, 1, 3)
        flat = basis.reshape(len(z), h * K, -1)
        return gradient.reshape(z.shape), flat.transpose(0, 2, 1) @ image.reshape(flat.shape)


def group_l2(size, weight):
    """``weight |z|_2`` for groups of `size` coordinates."""
    return BlockNorm(np.zeros(size, dtype=int), np.array([float(weight)]))


def frobenius(shape, weight):
    """``weight |Z|_F`` for groups that are matrices of the given shape."""
    return group_l2(int(np.prod(shape)), weight)


def nuclear(shape, weight):
    """``weight |Z|_*`` for groups that are matrices of the given shape."""
    return NuclearNorm(tuple(shape), float(weight))


def spectral_l1(d, weight):
    """``weight |F z|_1``, ``F`` the unitary DFT, in the coordinates of `real_dft`."""
    frequency = real_dft(d)[1]
    single = np.bincount(frequency) == 1
    # A pair of conjugate frequencies has |c_k| + |c_-k| = sqrt 2 times the norm of its row pair.
    return BlockNorm(frequency, weight * np.where(single, 1.0, np.sqrt(2.0)))


def real_dft(d):
    """The orthogonal matrix that takes ``z`` to the parts of its DFT, and their frequencies.

    Returns
    -------
    matrix : ndarray, shape (d, d)
        Rows are the constant, then ``sqrt 2`` times real and imaginary part of the unitary DFT for
        each frequency ``0 < k < d/2``, then for even d the alternating sign.
    frequency : ndarray of int, shape (d,)
        Frequency ``k`` of each row.
    """
    frequency = np.sort(np.concatenate([np.arange(d // 2 + 1), np.arange(1, (d + 1) // 2)]))
    phase = 2 * np.pi * np.outer(frequency, np.arange(d)) / d
    second = np.append(False, frequency[1:] == frequency[:-1])[:, None]
    matrix = np.where(second, -np.sin(phase), np.cos(phase)) * np.sqrt(2 / d)
    matrix[(frequency == 0) | (2 * frequency == d)] /= np.sqrt(2)
    return matrix, frequency
