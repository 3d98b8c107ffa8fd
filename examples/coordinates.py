"""The coordinate check: updates of features and gradients against width, in muP and in NTK.

Lines are theory, points are trained networks. The script takes a few seconds and writes a picture.

    python examples/coordinates.py [coordinates.png]
"""

import sys

import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(depth=3, gamma0=4.0), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.02))


def main(output: str = "coordinates.png") -> None:
    """Print the table and draw the picture."""
    check = lm.coordinate_check(PROBLEM, widths=[0.5, 1, 2, 4, 8], steps=20, dim=128, seeds=8)
    print(check.summary())
    lm.plotting.coordinates(check)[0, 0].figure.savefig(output, dpi=100)
    print(f"wrote {output}")


if __name__ == "__main__":
    main(*sys.argv[1:])
