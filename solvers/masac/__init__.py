"""Multi-agent soft actor-critic for Y and Z: features, network, learner, training, and inference in NumPy."""
