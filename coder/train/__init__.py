"""Training: the objective, the trainer, and the rows of examples that it reads."""
