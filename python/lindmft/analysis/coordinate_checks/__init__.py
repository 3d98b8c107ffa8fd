"""Parts of the coordinate check: root mean squares, the result, the verdict."""
