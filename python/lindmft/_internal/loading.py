"""Loads the compiled module, and its BLAS library if the loader does not find that by itself.

The run path of the compiled module normally finds the library of the package ``scipy_openblas32``.
Where that package lies elsewhere (a user site beside a system package, say), importing it puts the
library into the process, and the second attempt finds it there. Importing it always would cost as
much time as NumPy.
"""

from importlib import import_module

try:
    import_module("lindmft._core")
except ImportError:
    import_module("scipy_openblas32")
    import_module("lindmft._core")

from lindmft._core import NotConverged, __version__

__all__ = ["NotConverged", "__version__"]
