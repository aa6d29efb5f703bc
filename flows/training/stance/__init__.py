"""Training of the stance model: corpora, network, training run, tuning and export."""
