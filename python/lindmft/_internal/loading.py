"""Loading of the compiled module, and of its BLAS library if the system does not find that.

The run path of the compiled module normally leads to the library of the package
``scipy_openblas32``. If that package is in another folder (for example in a user site beside a
system package), the first attempt fails. Importing the package then loads the library into the
process, where the second attempt finds it. Always importing it would take as long as importing
NumPy.
"""

from importlib import import_module

try:
    import_module("lindmft._core")
except ImportError:
    import_module("scipy_openblas32")
    import_module("lindmft._core")

from lindmft._core import NotConverged, __version__

__all__ = ["NotConverged", "__version__"]
