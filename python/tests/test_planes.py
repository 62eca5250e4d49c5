"""Planes and triangles: the same bytes as the command line's, and the geometry that they state."""

import csv
import json
import pickle

import numpy as np
import pytest

import morphscape as ms
from conftest import ROOT, brightness
from test_runs import command_line


@pytest.mark.parametrize("kind", ["plane", "triangle"])
def test_the_same_call_gives_the_same_bytes(kind, images, labels, tmp_path):
    done = command_line("sweep", "--kind", kind, "--groups", 1, "--seed", 2, "--steps", 9, "--engine", "cpu",
                        "--figures", "none", "--out", tmp_path / "command")  # fmt: skip
    assert done.returncode == 0, done.stderr
    by_command = ms.open(tmp_path / "command")
    how = {"kind": kind, "groups": 1, "seed": 2, "steps": 9, "engine": "cpu"}
    in_memory = ms.sweep(None, images, labels, **how)
    in_folder = ms.sweep(None, images, labels, out=tmp_path / "folder", report=False, **how)
    assert in_memory.names == in_folder.names == by_command.names and len(by_command) == 2
    for name in by_command.names:
        for runs in (in_memory, in_folder):
            one, other = runs[name], by_command[name]
            assert one.kind == kind and one.logits.tobytes() == other.logits.tobytes()
            assert dict(one.measures) == dict(other.measures)
            np.testing.assert_array_equal(one.anchors, other.anchors)
        # The corners of a triangle are its items; the points of a plane miss them.
        assert other.item_predicted == (None if kind == "plane" else in_memory[name].item_predicted)


@pytest.mark.parametrize("kind", ["plane", "triangle"])
def test_class_maps_are_those_of_a_run(kind, images, labels, tmp_path):
    how = {"kind": kind, "groups": 1, "seed": 2, "steps": 9, "engine": "cpu"}
    run = ms.sweep(None, "fashion-mnist", out=tmp_path / "run", report=False, **how)
    in_memory = ms.sweep(None, images, labels, **how)
    with open(run.path / "maps.csv") as file:
        table = list(csv.DictReader(file))
    for one, other, row in zip(in_memory, run, table):
        mine, theirs = one.class_map, other.class_map
        written = json.loads((run.path / one.name / "sections.json").read_text())["sections"][0]
        # But for the names of items, what a run says.
        assert {**mine.facts, "items": written["items"]} == theirs.facts == written
        assert mine.found == "exact" and mine.regions > 1 and mine.because is None
        np.testing.assert_array_equal(mine.boundary, theirs.boundary)
        np.testing.assert_array_equal(mine.boundary_classes, theirs.boundary_classes)
        assert list(mine.row) == [key for key in row if key != "landscape"]
        for key, value in mine.row.items():
            text = row[key]
            assert text == (value or "") if value is None or isinstance(value, str) else float(text) == value, key
        assert sum(mine.area_share.values()) == pytest.approx(1) and list(mine.barriers) == written["barriers"]
        lengths = np.linalg.norm(mine.boundary[:, 0] - mine.boundary[:, 1], axis=1)
        assert lengths.sum() == pytest.approx(sum(mine.boundary_length.values()))
        read = ms.read_landscape(run.path / one.name / "landscape.safetensors")
        assert read.class_map.facts == theirs.facts
        again = pickle.loads(pickle.dumps(one))
        assert again.class_map.facts == mine.facts and again.svg("map") == one.svg("map")
        np.testing.assert_array_equal(again.class_map.boundary, mine.boundary)
    # A file that was saved by itself has none.
    one.save(tmp_path / "alone.safetensors")
    assert ms.read_landscape(tmp_path / "alone.safetensors").class_map is None


def test_the_boundary_parts_the_classes(images, model_path, mlp):
    """Just beside the middle of a segment numpy's network predicts its two classes."""
    items = images[[9, 2, 1]]
    one = ms.landscape(model_path, *items, kind="plane", steps=5)
    found = one.class_map
    a, b, c = (item.astype(float).ravel() for item in items)
    u = (b - a) / np.linalg.norm(b - a)
    v = c - a - ((c - a) @ u) * u
    v /= np.linalg.norm(v)
    ends = found.boundary
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    long = length > 1e-3
    across = (along / length[:, None])[:, ::-1] * [1, -1]
    middle = ends.mean(axis=1)
    sides = []
    for side in (1, -1):
        alpha, beta = (middle + side * 1e-3 * across)[long].T
        points = a + 255 * (alpha[:, None] * u + beta[:, None] * v)
        sides.append(mlp(points).argmax(axis=1))
    assert long.sum() > 3
    np.testing.assert_array_equal(np.sort(np.transpose(sides), axis=1), found.boundary_classes[long])


def test_what_has_no_exact_map_says_why(images, mlp):
    items = images[[9, 2, 1]]
    of_function = ms.landscape(mlp, *items, kind="plane", steps=5).class_map
    assert of_function.found == "sampled" and of_function.because and not len(of_function.boundary)
    assert of_function.certificate is None and of_function.missed is None and of_function.missed_places.shape == (0, 2)
    clipped = ms.landscape(None, *items, kind="plane", steps=5, clipped=True).class_map
    assert "clipped points are not affine" in clipped.because
    off = ms.landscape(None, *items, kind="plane", steps=5, exact=False).class_map
    assert "not asked for" in off.because and "sampled" in repr(off)
    assert ms.landscape(None, *items, steps=5).class_map is None
    certified = ms.landscape(ROOT / "models/fashion-mnist-cnn.safetensors", *items, kind="plane", steps=5).class_map
    assert certified.found == "certified" and len(certified.boundary) and certified.regions is None


def test_the_map_is_drawn_with_its_boundary(images, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    for kind in ("plane", "triangle"):
        one, off = (ms.landscape(None, *images[[9, 2, 1]], kind=kind, steps=7, exact=exact) for exact in (True, False))
        drawn = one.plot("map")
        [lines] = drawn.ax_.collections
        assert len(lines.get_segments()) == len(one.class_map.boundary)
        ends = np.array(lines.get_segments())
        (left, right), (low, high) = drawn.ax_.get_xlim(), sorted(drawn.ax_.get_ylim())
        assert (left <= ends[..., 0]).all() and (ends[..., 0] <= right).all()
        assert (low <= ends[..., 1]).all() and (ends[..., 1] <= high).all()
        if kind == "triangle":
            assert (ends >= -1e-9).all() and (ends.sum(axis=-1) <= 1 + 1e-9).all(), "shares of B and C"
        drawn.figure_.canvas.draw()
        assert not off.plot("map").ax_.collections
        assert len(one.svg("map")) > len(off.svg("map"))
        pages = [ms.LandscapeList([each]).report(tmp_path / "page.html").stat().st_size for each in (one, off)]
        assert pages[0] > pages[1] + 1000, "the page has the boundary, too"


def test_a_plane_is_where_its_axes_say(images, mlp):
    items = images[[9, 2, 1]]
    one = ms.landscape(mlp, *items, kind="plane", steps=11, range=(0.2, 0.3), keep_frames=True)
    alpha, beta = one.axes
    assert one.unit == "pixel/255" and one.anchors.shape == (3, 2)
    a, b, c = (item.astype(float).ravel() for item in items)
    u = (b - a) / np.linalg.norm(b - a)
    v = c - a - ((c - a) @ u) * u
    v /= np.linalg.norm(v)
    for place, item in zip(one.anchors, (a, b, c)):
        np.testing.assert_allclose(place, [(item - a) @ u / 255, (item - a) @ v / 255], atol=1e-6)
    points = a + 255 * (alpha[:, None, None] * u + beta[:, None] * v)
    np.testing.assert_allclose(one.frames.reshape(11, 11, -1), points, atol=1e-2)
    np.testing.assert_allclose(one.logits, mlp(one.frames.reshape(-1, 28, 28)).reshape(11, 11, 10), atol=1e-3)
    np.testing.assert_allclose(alpha[[0, -1]], [-0.2 * alpha_width(one), (1 + 0.3) * alpha_width(one)], atol=1e-6)


def alpha_width(one):
    return np.ptp(one.anchors[:, 0])


def test_points_leave_the_bounds_unless_they_are_clipped(images):
    seen = []

    def model(x):
        seen.append(x)
        return brightness(x * 255)

    unit = images[[9, 2, 1]] / 255
    ms.landscape(model, *unit, kind="plane", steps=9)
    assert min(x.min() for x in seen) < -0.01 and max(x.max() for x in seen) > 1.01, "never clipped in silence"
    seen.clear()
    ms.landscape(model, *unit, kind="plane", steps=9, clipped=True)
    assert min(x.min() for x in seen) >= 0 and max(x.max() for x in seen) <= 1


def test_a_triangle_holds_all_mixtures():
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    asked = []

    def model(x):
        asked.append(x)
        return np.stack([1 - x.sum(axis=1), x[:, 0], x[:, 1]], axis=1)

    one = ms.landscape(model, *corners, kind="triangle", steps=5)
    inside = np.add.outer(np.arange(5), np.arange(5)) < 5
    assert (one.predicted >= 0).tolist() == inside.tolist() and np.isnan(one.probabilities[~inside]).all()
    # Row i has i shares of B, column j has j shares of C.
    np.testing.assert_allclose(one.probabilities[1, 2], [0.25, 0.25, 0.5], atol=1e-6)
    assert sum(len(x) for x in asked[1:]) == 15
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.probabilities, one.probabilities)


def test_rows_lie_on_planes(iris_model):
    rows = np.array([[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]], np.float32)
    one = ms.landscape(iris_model, *rows, kind="plane", steps=21)
    assert "features as the model scales them" in one.unit and one.frames.shape == (21, 21, 4)
    assert one.item_predicted == one.item_labels


def test_their_report_says_how_they_lie(images, tmp_path):
    planes = ms.landscapes(None, images, [(9, 2, 1)], kind="plane", steps=5, range=(0.2, 0.3))
    assert "wider than the items by 0.2 and 0.3" in planes.report(tmp_path / "planes.html").read_text()


def test_they_show_themselves(images, mlp):
    for kind in ("plane", "triangle"):
        one = ms.landscape(mlp, *images[[9, 2, 1]], kind=kind, steps=7, keep_frames=True)
        assert "<svg" in one._repr_html_() and kind in repr(one)
        for figure in ("map", "surface", "sheet"):
            assert one.svg(figure).startswith("<svg"), figure
        # Alpha or the share of B to the right, beta or the share of C upwards.
        np.testing.assert_array_equal(one.drawn(one.predicted)[-1], one.predicted[:, 0])
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    for kind in ("plane", "triangle"):
        one = ms.landscape(mlp, *images[[9, 2, 1]], kind=kind, steps=7)
        for figure in ("map", "surface", "ternary"):
            one.plot(figure).figure_.canvas.draw()
        with pytest.raises(ms.InputError, match="no rows"):
            one.plot("line")


@pytest.mark.parametrize(
    "options, words",
    [
        ({"kind": "sphere"}, "kind: expected"),
        ({"kind": "plane", "mode": "published"}, "not morphed"),
        ({"range": (0.2, 0.2)}, "leave range out"),
        ({"kind": "triangle", "clipped": True}, "leave clipped out"),
        ({"kind": "plane", "range": (-1, 0)}, "thousandth"),
        ({"kind": "plane", "range": (0.1,)}, "two shares"),
        ({"exact": False}, "leave exact out"),
    ],
)
def test_what_is_refused(images, options, words):
    with pytest.raises(ms.InputError) as refused:
        ms.landscape(None, *images[[9, 2, 1]], **options)
    assert words in str(refused.value)


def test_items_that_span_no_plane(images):
    with pytest.raises(ms.InputError, match="items#0"):
        ms.landscape(None, *images[[9, 9, 1]], kind="plane", steps=5)
