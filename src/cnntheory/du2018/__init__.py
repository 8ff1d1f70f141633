"""Du, Lee & Tian, "When is a Convolutional Filter Easy To Learn?" (arXiv 1709.06129, ICLR 2018).

One ReLU filter, averaged over patches, learned from a teacher of the same form by (stochastic)
gradient descent. `neuron` holds the network and its gradients, `laws` the inputs, `smoothness` the
constants gamma, L, beta, L_cross, `rates` the theorems' steps and factors, `starts` random
initialisation.
"""
