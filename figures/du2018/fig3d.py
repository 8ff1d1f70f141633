"""Figure 3d: SGD on image patches, Gabor teacher."""

from figures.du2018.images import training

training("gabor", "Gabor teacher")
