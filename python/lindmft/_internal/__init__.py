"""Tools that every room uses and no user needs: validation, types, files, memory, provenance."""
