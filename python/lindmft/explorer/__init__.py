"""The explorer: a page that solves the theory while its reader moves a slider."""

from lindmft.explorer.page import Explorer, explore

__all__ = ["Explorer", "explore"]
