"""Training of the attribution model: corpora, network, training run, evaluation and export."""
