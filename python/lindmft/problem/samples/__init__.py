"""Samples and labels as users have them, and the estimates that a problem needs from them."""
