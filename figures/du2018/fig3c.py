"""Figure 3c: SGD on image patches, random Gaussian teachers."""

from figures.du2018.images import training

training("random", "random teachers")
