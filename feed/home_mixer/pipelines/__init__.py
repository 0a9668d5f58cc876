"""The two recipes: ordered lists of stages, nothing else."""
