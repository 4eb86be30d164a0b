"""Parts of scripts/train-features.py: the frozen nets of the evaluation that stand in for Inception and I3D."""
