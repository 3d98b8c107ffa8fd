"""Searches over learning rates: what they look at, where, and what counts as stable or as equal."""
