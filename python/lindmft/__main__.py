"""``python -m lindmft`` is the command ``lindmft``."""

from lindmft.cli import main

if __name__ == "__main__":
    main()
