"""Changes of a problem with a size, and fields that usually follow the size."""
