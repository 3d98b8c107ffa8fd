"""Results of ``edge_of_stability``: runs, crossings of the threshold, limits and verdicts."""
