"""The machine that runs the code: its limits, and how near to them standard jobs run."""
