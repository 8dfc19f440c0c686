"""Golden numbers from PyTorch, one module per subject."""
