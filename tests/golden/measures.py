"""Values of the measures over a grid from other programs, for tests/it/measures_oracle.rs.

    morphscape sweep --engine cpu --figures none --out RUN
    python tests/golden/measures.py RUN

writes measures_f32.bin, the logits and probabilities of the first 20 landscapes of the run, and
measures.json, what scikit-image, gudhi, scipy and numpy say of them.

Regions and boundary length: scikit-image. Persistence: gudhi's cubical complexes, whose vertices
are 4-connected and whose cells are 8-connected. Critical points: gudhi on the Freudenthal
triangulation, filtered by the rank of each point in the order (value, index); there every
minimum starts a component, every saddle ends one or starts a loop, and every inner maximum ends
a loop. Barriers: scipy's minimum spanning tree. The rest: scipy and numpy.
"""

import json
import sys
from pathlib import Path

import gudhi
import numpy as np
import scipy
import scipy.ndimage
import scipy.sparse
import scipy.sparse.csgraph
import scipy.special
import skimage
import skimage.measure
from safetensors import safe_open

COUNT = 20
PERSISTENT = 0.1
CONFIDENT = np.float32(0.9)


def contour_length(field, saddles):
    contours = skimage.measure.find_contours(field, 0.0, fully_connected=saddles)
    return sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in contours)


def boundary(logits):
    """In sides of the grid. The two corners of a class in a saddle cell are joined (`high`) where
    the cell's mean is above 0; scikit-image has one answer for all cells, so each such cell is
    asked by itself."""
    steps, classes = logits.shape[0], logits.shape[2]
    total, saddle_cells = 0.0, 0
    for k in range(classes):
        margin = logits[..., k] - np.delete(logits, k, axis=2).max(axis=2)
        if margin.max() <= 0:
            continue
        total += contour_length(margin, "low")
        for i in range(steps - 1):
            for j in range(steps - 1):
                cell = margin[i : i + 2, j : j + 2]
                inside = cell > 0
                is_saddle = inside[0, 0] == inside[1, 1] != inside[0, 1] == inside[1, 0]
                if is_saddle:
                    saddle_cells += 1
                    if cell.mean() > 0:
                        total += contour_length(cell, "high") - contour_length(cell, "low")
    return {"length": total / 2 / (steps - 1), "saddle_cells": saddle_cells}


def bars(field, eight):
    kind = {"top_dimensional_cells": field} if eight else {"vertices": field}
    pairs = gudhi.CubicalComplex(**kind)
    pairs.compute_persistence(min_persistence=0)
    pairs = pairs.persistence_intervals_in_dimension(0)
    pairs = pairs[pairs[:, 1] > pairs[:, 0]]
    ordered = sorted(pairs.tolist())
    return [[birth, None if np.isinf(death) else death] for birth, death in ordered]


def critical(field):
    rows, columns = field.shape
    rank = np.empty(field.size)
    rank[np.argsort(field.ravel(), kind="stable")] = np.arange(field.size)
    at = np.arange(field.size).reshape(rows, columns)
    tree = gudhi.SimplexTree()
    for k in range(field.size):
        tree.insert([k], rank[k])
    for i in range(rows - 1):
        for j in range(columns - 1):
            # The diagonal of a cell leads from its first to its last corner.
            a, b, c, d = at[i, j], at[i, j + 1], at[i + 1, j + 1], at[i + 1, j]
            for triangle in ([a, b, c], [a, c, d]):
                tree.insert(triangle, rank[triangle].max())
    # A face was inserted with its triangle's value; each gets the largest of its own vertices.
    for simplex, _ in list(tree.get_simplices()):
        tree.assign_filtration(simplex, rank[simplex].max())
    tree.compute_persistence(min_persistence=0)
    components = tree.persistence_intervals_in_dimension(0)
    loops = tree.persistence_intervals_in_dimension(1)
    ended = int(np.isfinite(components[:, 1]).sum())
    return [len(components), ended + len(loops), len(loops)]


def barrier(u, start, end):
    rows, columns = u.shape
    at = np.arange(u.size).reshape(rows, columns)
    flat = u.ravel()
    pairs = np.concatenate([
        np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], axis=1),
        np.stack([at[:-1].ravel(), at[1:].ravel()], axis=1),
    ])
    # A sparse weight of 0 would be no edge.
    weights = 1 + np.maximum(flat[pairs[:, 0]], flat[pairs[:, 1]])
    graph = scipy.sparse.coo_array((weights, pairs.T), shape=(u.size, u.size)).tocsr()
    tree = scipy.sparse.csgraph.minimum_spanning_tree(graph)
    tree = tree + tree.T
    _, before = scipy.sparse.csgraph.depth_first_order(tree, start, directed=False)
    level, k = flat[end], end
    while k != start:
        k = before[k]
        level = max(level, flat[k])
    return float(level)


def surface(z):
    rows, columns = z.shape
    y, x = np.mgrid[:rows, :columns]
    plane = np.stack([x.ravel(), y.ravel(), np.ones(z.size)], axis=1)
    solution, *_ = np.linalg.lstsq(plane, z.ravel(), rcond=None)
    laplacian = scipy.ndimage.laplace(z)[1:-1, 1:-1]
    return {
        "roughness": float(np.sqrt(np.mean((z.ravel() - plane @ solution) ** 2))),
        "laplacian": float(np.abs(laplacian).mean()),
        "critical": critical(z),
        "bars_4": bars(z, False),
        "bars_8": bars(z, True),
        "bars_4_upside_down": bars(-z, False),
    }


def measure(path):
    with safe_open(path, framework="numpy") as file:
        logits, p32 = file.get_tensor("logits"), file.get_tensor("probabilities")
        metadata = file.metadata()
    classes = json.loads(metadata["item_classes"])
    f, p = logits.astype(np.float64), p32.astype(np.float64)
    steps = f.shape[0]
    labels = p32.argmax(axis=2)
    regions = [
        int(skimage.measure.label(labels, background=-1, connectivity=c).max()) for c in (1, 2)
    ]
    outside = ~np.isin(labels, classes)
    highest = np.sort(p, axis=2)
    items = [0, (steps - 1) * steps, steps - 1]
    barriers = []
    for one, other in ((0, 1), (0, 2), (1, 2)):
        pair = [classes[one], classes[other]]
        u = scipy.special.logsumexp(f, axis=2) - scipy.special.logsumexp(f[..., pair], axis=2)
        barriers.append(barrier(u, items[one], items[other]))
    values = {
        "name": metadata["name"],
        "classes": classes,
        "total_variation": float(0.5 * np.abs(np.diff(p, axis=1)).sum(axis=(1, 2)).mean()),
        "curvature": [float(np.abs(np.diff(p[..., k], n=2, axis=1)).mean()) for k in classes],
        "label_changes": float((np.diff(labels, axis=1) != 0).sum(axis=1).mean()),
        "intrusion": float(outside.mean()),
        "confident_intrusion": float((outside & (p32.max(axis=2) >= CONFIDENT)).mean()),
        "entropy": float(scipy.special.entr(p).sum(axis=2).mean()),
        "margin": float((highest[..., -1] - highest[..., -2]).mean()),
        "regions": regions,
        "boundary": boundary(f),
        "barriers": barriers,
        "surfaces": [surface(p[..., k]) for k in classes],
    }
    return values, logits, p32


def main():
    run, here = Path(sys.argv[1]), Path(__file__).parent
    names = json.loads((run / "manifest.json").read_text())["landscapes"][:COUNT]
    measured = [measure(run / name / "landscape.safetensors") for name in names]
    with open(here / "measures_f32.bin", "wb") as file:
        for _, logits, probabilities in measured:
            file.write(logits.astype("<f4").tobytes())
            file.write(probabilities.astype("<f4").tobytes())
    versions = {
        "scikit-image": skimage.__version__,
        "gudhi": gudhi.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
    }
    described = {
        "made_with": versions,
        "shape": [COUNT, 2, *measured[0][1].shape],
        "landscapes": [values for values, _, _ in measured],
    }
    (here / "measures.json").write_text(json.dumps(described) + "\n")


if __name__ == "__main__":
    main()
