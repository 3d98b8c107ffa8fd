"""Explanations of the losses of a training loop: hypotheses, their fits, the verdict."""
