"""The figures of the paper and its table, one module for each."""
