"""Internal helpers that all rooms share: validation, types, files, memory, provenance."""
