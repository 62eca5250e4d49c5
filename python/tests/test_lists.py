"""Lists of landscapes: their rows, their ranking, their report; and runs of rows in folders."""

import base64
import csv
import gzip
import json
import re

import numpy as np
import pytest

import morphscape as ms
from test_runs import command_line


@pytest.fixture(scope="module")
def swept(images, labels):
    return ms.sweep(None, images, labels, groups=1, steps=5, engine="cpu")


def test_rows_are_those_of_a_summary(swept, images, labels, tmp_path):
    run = ms.sweep(None, images, labels, groups=1, steps=5, engine="cpu", out=tmp_path / "run", report=False)
    with open(run.path / "summary.csv", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 6
    for row, read, line in zip(swept.rows(), run.rows(), written):
        assert row == read and list(row) == list(line)
        for key, text in line.items():
            value = "" if row[key] is None else row[key]
            assert text == str(value) or float(text) == pytest.approx(value, rel=1e-5, abs=1e-5), key


def test_top_ranks_by_any_measure(swept):
    for key in ("intrusion", "total_variation", "curvature"):
        values = [one.measures[key] for one in swept.top(key, len(swept))]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=True) and values[: len(known)] == known
    assert len(swept.top(n=2)) == 2 and len(swept.top(n=100)) == 6


def test_frames_of_either_library(swept, monkeypatch):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    assert isinstance(swept.to_frame(), pandas.DataFrame)
    import sys

    monkeypatch.delitem(sys.modules, "pandas")
    frame = swept.to_frame()
    assert isinstance(frame, polars.DataFrame) and frame["landscape"].to_list() == list(swept.names)
    assert frame["intrusion"].dtype == polars.Float64


def test_it_shows_itself(swept):
    page = swept._repr_html_()
    assert page.count("<tr>") == 7 and "1A.1" in page and "<script" not in page


def packed(page, kind, name):
    content = re.search(f'id="{kind}-{re.escape(name)}">([^<]*)<', page)[1]
    return base64.b64decode(content)


def test_a_report_of_landscapes_in_memory(swept, images, tmp_path):
    path = swept.report(tmp_path / "page.html")
    page = path.read_text()
    run = json.loads(re.search('id="run">([^<]*)<', page)[1])
    assert [each["name"] for each in run["landscapes"]] == list(swept.names) and all(e["detail"] for e in run["landscapes"])
    assert run["class_names"] == list(swept[0].classes) and run["steps"] == 5
    for one in swept:
        values = np.frombuffer(packed(page, "values", one.name), "<f4").reshape(5, 5, 10)
        np.testing.assert_array_equal(values, one.probabilities)
    assert json.loads(gzip.decompress(packed(page, "figures", "1A.2")))["map"].startswith("<svg")
    assert "undefined" not in json.dumps(run["facts"]) and not any(fact[1].strip(", ") == "" for fact in run["facts"])
    with_frames = ms.landscapes(None, images, [(9, 2, 1)], steps=3, keep_frames=True)
    assert 'id="frames-0"' in with_frames.report(tmp_path / "frames.html").read_text()
    rows = ms.landscapes(lambda x: x, np.eye(3), [(0, 1, 2)], steps=3)
    assert 'id="rows-0"' in rows.report(tmp_path / "rows.html").read_text()


def test_reports_that_cannot_be(swept, images, tmp_path):
    with pytest.raises(ms.InputError, match="at least one landscape"):
        swept[:0].report(tmp_path / "none.html")
    other = ms.landscapes(None, images, [(9, 2, 1)], steps=3)
    with pytest.raises(ms.InputError, match="one number of points"):
        ms.LandscapeList([swept[0], other[0]]).report(tmp_path / "mixed.html")
    with pytest.raises(ms.InputError, match="two called 1A.1"):
        ms.LandscapeList([swept[0], swept[0]]).report(tmp_path / "twice.html")
    with pytest.raises(ms.InputError, match="nowhere"):
        swept.report(tmp_path / "nowhere/page.html")
    assert list(tmp_path.iterdir()) == []


def test_rows_are_swept_as_by_the_command_line(tmp_path, iris_model):
    rng = np.random.default_rng(0)
    rows = rng.random((30, 4)).astype(np.float32) * 5
    labels = np.arange(30) % 3
    names = ms.Model(iris_model).classes
    table = tmp_path / "table.csv"
    features = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    lines = [",".join([*(repr(float(value)) for value in row), names[label]]) for row, label in zip(rows, labels)]
    table.write_text("\n".join([",".join([*features, "species"]), *lines]) + "\n")
    done = command_line(
        "interpolate", "--data", table, "--label", "species", "--model", iris_model, "--groups", 2, "--seed", 5,
        "--engine", "cpu", "--figures", "none", "--out", tmp_path / "command",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    by_command = ms.open(tmp_path / "command")
    how = {"groups": 2, "seed": 5, "steps": 11, "engine": "cpu"}
    in_memory = ms.sweep(iris_model, rows, labels, **how)
    in_folder = ms.sweep(iris_model, rows, labels, out=tmp_path / "rows", **how)
    assert in_memory.names == in_folder.names == by_command.names == ("A.1", "A.2", "A.3", "B.1", "B.2", "B.3")
    for name in by_command.names:
        for runs in (in_memory, in_folder):
            assert runs[name].logits.tobytes() == by_command[name].logits.tobytes()
            assert runs[name].frames.tobytes() == by_command[name].frames.tobytes()
            assert dict(runs[name].measures) == dict(by_command[name].measures)
    assert (in_folder.path / "report.html").stat().st_size > 100_000


def test_a_callable_of_rows_in_a_folder(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.random.default_rng(1).random((12, 2)), columns=["width", "length"])
    seen = []

    def model(x):
        seen.append(type(x).__name__)
        return np.stack([x.width, x.length, 1 - x.width], axis=1)

    run = ms.sweep(model, frame, np.arange(12) % 3, groups=1, steps=3, engine="cpu", out=tmp_path / "rows", report=False)
    assert set(seen) == {"DataFrame"} and run.names == ("A.1", "A.2", "A.3")
    again = ms.sweep(model, frame, np.arange(12) % 3, groups=1, steps=3, engine="cpu", out=tmp_path / "rows", report=False)
    np.testing.assert_array_equal(again.probabilities, run.probabilities)
    with pytest.raises(ms.InputError, match="force="):
        ms.sweep(model, frame, np.arange(12) % 3, groups=1, steps=4, engine="cpu", out=tmp_path / "rows", report=False)
