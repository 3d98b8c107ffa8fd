"""What ``edge_of_stability`` returns: runs, crossings of the threshold, limits and verdicts."""
