"""Convergence theory of convolutional networks, measured: the mathematics of four papers.

`cnntheory.du2018` learns one filter, `cnntheory.zhong2017` several kernels, `cnntheory.ergen2021`
trains by convex programs, `cnntheory.allenzhu2019` trains wide networks. `cnntheory.images`,
`cnntheory.descent` and `cnntheory.stats` are what the papers share.
"""

__version__ = "0.2.0"
