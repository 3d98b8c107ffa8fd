"""The observables of results by name and shape: what solutions, ensembles and files all have."""

LOSSES = ("test_loss", "train_loss", "term_target", "term_init", "term_data")
"""Series (n,) of every solution."""
NORMS = ("feature_norm", "gradient_norm")
"""Series (L, n) of every result."""
BY_OUTPUT = ("test_loss_by_output", "train_loss_by_output")
"""Series (C, n) of every result."""
KERNELS = ("kernel_gradient", "kernel_target", "kernel_scale")
"""Series (n,) that are computed on request."""
DIRECTIONS = ("kernel_gradient", "kernel_target")
"""The kernels that are nan where their direction does not exist."""
UPDATES = ("feature_update", "gradient_update")
"""Series (L, n) of trained networks that are computed on request."""
OVERLAPS = ("test_loss", "shared_init", "shared_data", "independent")
"""Series (n,) of pairs of networks, by what the two share."""
SHARED = OVERLAPS[1:]
"""Those of two different networks."""
LAYERED = ("C_h", "C_g", "R_hr", "R_gu")
"""Two-time functions (n, n) of every layer."""
SINGLE = ("C_v", "C_delta", "R_delta")
"""Two-time functions (n, n) of the data side."""
FUNCTIONS = (*LAYERED, *SINGLE)
"""Names of the two-time functions that ``solve(save=...)`` can keep."""
