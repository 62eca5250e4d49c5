"""Lines between many pairs: the same bytes as the command line's, and what is said of them."""

import json
import pickle

import numpy as np
import pytest

import morphscape as ms
from conftest import brightness
from test_runs import command_line


def same_files(one, other):
    """How many files two folders have in common, all of the same bytes; manifests tell times."""
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file() and path.name != "manifest.json")
    assert files == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file() and path.name != "manifest.json")
    for file in files:
        assert (one / file).read_bytes() == (other / file).read_bytes(), file
    return len(files)


def test_the_same_call_writes_the_same_bytes(images, labels, model_path, tmp_path):
    done = command_line("lines", "--count", 12, "--seed", 4, "--out", tmp_path / "command")
    assert done.returncode == 0, done.stderr
    by_name = ms.lines(None, "fashion-mnist", count=12, seed=4, out=tmp_path / "name")
    assert same_files(tmp_path / "command", by_name.path) >= 3
    assert list(by_name.findings) == done.stdout.splitlines()
    by_array = ms.lines(model_path, images, labels=labels, count=12, seed=4)
    assert by_array.intervals == by_name.intervals and by_array.missed == by_name.missed
    assert by_array.path is None and by_name.pairs is None
    names = [tuple(f"t10k#{position}" for position in pair) for pair in by_array.pairs.tolist()]
    assert tuple(names) == by_name.items
    assert set(by_array.found) == {"exact"} and len(by_array) == 12
    # Opened again it is the same; the folder is resumed.
    for again in (ms.open(tmp_path / "command"), ms.lines(None, "fashion-mnist", count=12, seed=4, out=tmp_path / "name")):
        assert again.intervals == by_name.intervals and again.rows() == by_name.rows()
        assert again.findings == by_name.findings and again.missed == by_name.missed
    assert command_line("verify", tmp_path / "name").returncode == 0
    with pytest.raises(ms.InputError, match="force="):
        ms.lines(None, "fashion-mnist", count=12, seed=5, out=tmp_path / "name")


def test_margins_and_paths(images, model_path, tmp_path):
    words = ("--count", 2, "--directions", 20, "--seed", 2, "--connect")
    done = command_line("lines", *words, "--out", tmp_path / "command")
    assert done.returncode == 0, done.stderr
    how = {"count": 2, "directions": 20, "seed": 2, "connect": True}
    by_name = ms.lines(None, "fashion-mnist", out=tmp_path / "name", **how)
    assert same_files(tmp_path / "command", by_name.path) >= 4
    by_array = ms.lines(model_path, images, **how)
    assert len(by_array) == 40 and len(set(by_array.pairs[:20, 0])) == 1
    np.testing.assert_array_equal(by_array.margins, by_name.margins)
    rows = by_array.rows()
    for n, (row, margin) in enumerate(zip(rows, by_array.margins)):
        assert row["connected"] in ("certified", "not_found") and row["knots"] >= 0
        # The first change of class is the margin, in units of the line's length.
        if by_array.crossings[n]:
            assert margin == pytest.approx(by_array.crossings[n][0] * row["length"], rel=1e-9)


def test_each_line_is_the_line_between_its_items(images, model_path):
    pairs = [(3318, 5187), (9, 2)]
    found = ms.lines(model_path, images, pairs, steps=11)
    for pair, intervals, crossings in zip(pairs, found.intervals, found.crossings):
        one = ms.line(model_path, *images[list(pair)])
        assert [name for _, _, name in intervals] == [name for _, _, name in one.intervals]
        np.testing.assert_allclose(crossings, one.crossings, atol=1e-9)
    assert found.pairs.tolist() == [list(pair) for pair in pairs] and "predicts" in " ".join(found.notes)
    row = found.rows()[0]
    assert pickle.loads(pickle.dumps(found)).intervals == found.intervals
    assert row["item_a"] == "items#3318" and row["points"] == 11 and row["label"] == "exact"
    # Without labels, the classes are the predicted ones.
    assert (row["class_a"], row["class_b"]) == (found.intervals[0][0][2], found.intervals[0][-1][2])


def test_rows_and_functions(iris_model, tmp_path):
    done = command_line("lines", "--data", "iris", "--count", 5, "--out", tmp_path / "command")
    assert done.returncode == 0, done.stderr
    of_iris = ms.lines(None, "iris", count=5, out=tmp_path / "name")
    assert (tmp_path / "name/sections.json").read_bytes() == (tmp_path / "command/sections.json").read_bytes()
    assert set(of_iris.classes) == {"setosa", "versicolor", "virginica"}
    rows = np.array([[0.0, 0.0], [1.0, 3.0], [0.5, 0.1]])
    calls = []

    def model(x):
        calls.append(len(x))
        return np.stack([x[:, 0] * 0 + 0.25, x[:, 0]], axis=1)

    found = ms.lines(model, rows, [(0, 1), (1, 2), (2, 0)], steps=5, labels=[0, 1, 1])
    assert found.found == ("sampled",) * 3 and found.missed is None
    assert found.intervals[0] == ((0.0, 0.375, "0"), (0.375, 1.0, "1"))
    # The items, and all lines in one call.
    assert calls == [3, 15]
    written = ms.lines(model, rows, [(0, 1)], steps=5, labels=[0, 1, 1], out=tmp_path / "function")
    assert json.loads((written.path / "manifest.json").read_text())["finished"] is True
    pytest.importorskip("pandas")
    assert list(found.to_frame()["class_b"]) == ["1", "1", "0"]


@pytest.mark.parametrize(
    "given, options, words",
    [
        ([(0, 0)], {}, "expected two different items, found items#0 twice"),
        ([(0, 1, 2)], {}, "pairs: expected integers of shape (n, 2)"),
        ([(0, 99)], {}, "positions from 0 to 9, found 99"),
        ([], {}, "pairs"),
        (None, {"count": 0}, "count"),
        (None, {"steps": 1}, "steps"),
        (None, {"labels": [0, 1]}, "labels: expected one for each of 10 items"),
    ],
)
def test_what_is_refused(images, given, options, words):
    with pytest.raises(ms.InputError) as refused:
        ms.lines(brightness, images[:10], given, **options)
    assert words in str(refused.value)


def test_places_that_cannot_be_taken(tmp_path):
    with pytest.raises(ms.InputError, match="leave pairs out"):
        ms.lines(None, "fashion-mnist", [(0, 1)])
    with pytest.raises(ms.InputError, match="pandas"):
        ms.lines(None, "my.csv")
    with pytest.raises(ms.InputError, match="a callable is asked for arrays"):
        ms.lines(brightness, "fashion-mnist")
