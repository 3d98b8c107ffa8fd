"""Searches over learning rates, with the criteria for stable runs and equal losses."""
