"""What else changes where a size is varied: scalings, and fields that usually follow the size."""
