"""Delaunay triangles by scipy, in its order, for tests/it/published.rs.

    python tests/golden/qhull.py

writes qhull.json: `images`, the triangles of the points in features_grid3.json, a letter a corner
(a is point 0); and `sets`, point sets of other kinds: division into cells of other images and
finer grids, lattices, on which whole rows of points lie on circles, and points anywhere. All
numbers of a set are in one row: x, y of each point, and three corners a triangle.
"""

import json
import random
from pathlib import Path

import numpy as np
import scipy
from scipy.spatial import Delaunay

HERE = Path(__file__).parent


def simplices(points):
    return Delaunay(np.array(points, float)).simplices.ravel().tolist()


def cells(width, height, grid, blank):
    """The corners, and in each cell its middle (a share `blank` of them) or a point off its edge."""
    points = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
    across, down = width // grid, height // grid
    for i in range(grid):
        for j in range(grid):
            x, y = across // 2, down // 2
            if random.random() >= blank:
                x, y = random.randrange(1, across - 1), random.randrange(1, down - 1)
            points.append((i * across + x, j * down + y))
    return points


def anywhere(side, count):
    return random.sample([(x, y) for x in range(side) for y in range(side)], count)


random.seed(1)
sets = [cells(28, 28, 4, 0.3) for _ in range(20)]
sets += [cells(28, 28, 5, 0.3) for _ in range(10)]
sets += [cells(28, 28, 7, 1.0)]
sets += [cells(64, 48, 4, 0.2) for _ in range(10)]
sets += [cells(48, 64, 3, 0.5) for _ in range(10)]
sets += [cells(96, 96, 12, blank) for blank in (0.5, 0.9, 1.0)]
sets += [cells(1000, 700, 5, 0.1) for _ in range(5)]
sets += [anywhere(28, 13) for _ in range(20)]
sets += [anywhere(6, 20) for _ in range(20)]

images = json.loads((HERE / "features_grid3.json").read_text())["images"]
letters = ["".join(chr(97 + k) for k in simplices(image["p"])) for image in images]
out = {
    "made_with": f"scipy {scipy.__version__}, scipy.spatial.Delaunay",
    "images": letters,
    "sets": [
        {"points": [v for point in points for v in point], "triangles": simplices(points)}
        for points in sets
    ],
}
(HERE / "qhull.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
