"""Conversions between problems and training loops in the conventions of PyTorch."""
