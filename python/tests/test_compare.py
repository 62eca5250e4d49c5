"""The comparison of modes: the same numbers as the command line's."""

import csv

import numpy as np
import pytest

import morphscape as ms
from test_runs import command_line

HOW = {"groups": 2, "seed": 3, "steps": 7, "engine": "cpu"}


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare") / "out"
    done = command_line("compare", "--groups", 2, "--seed", 3, "--steps", 7, "--engine", "cpu", "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def same(rows, path):
    """Whether rows are those of a CSV file, to the decimals that it has."""
    with open(path, newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == len(rows) > 0
    for row, line in zip(rows, written):
        assert list(row) == list(line)
        for key, text in line.items():
            value = row[key]
            same = text == str(value) if not isinstance(value, float) else abs(float(text) - value) < 1e-6
            assert same or key.startswith("item"), (key, value, text)


def test_the_numbers_are_the_command_lines(by_command, images, labels, tmp_path):
    out, printed = by_command
    from_array = ms.compare(None, images, labels, **HOW)
    from_place = ms.compare(None, "fashion-mnist", **HOW)
    in_folder = ms.compare(None, images, labels, out=tmp_path / "compare", **HOW)
    for compared in (from_array, from_place, in_folder):
        assert compared.finding in printed
        same(compared.shares, out / "tool_share.csv")
        same(compared.triples, out / "triples.csv")
        assert compared.figure.startswith("<svg")
    assert (tmp_path / "compare/tool_share.csv").read_bytes() == (out / "tool_share.csv").read_bytes()


def test_a_callable_is_compared(images, labels, mlp):
    of_file, of_callable = (ms.compare(model, images, labels, **HOW) for model in (None, mlp))
    for one, other in zip(of_file.shares, of_callable.shares):
        assert one["share"] == pytest.approx(other["share"], abs=1e-4)
    assert "morph tool's" in of_callable._repr_html_() and "Comparison of 4 triples" in repr(of_callable)


def test_its_rows_are_a_frame(images, labels):
    pandas = pytest.importorskip("pandas")
    frame = ms.compare(None, images, labels, groups=1, steps=3, engine="cpu").to_frame()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == 2 and frame.total_variation_clean.dtype == np.float64


def test_what_is_refused(images, labels, mlp):
    with pytest.raises(ms.InputError, match="labels: expected one for each item"):
        ms.compare(None, images)
    with pytest.raises(ms.InputError, match="steps 2: expected at least 3"):
        ms.compare(None, images, labels, steps=2)
    with pytest.raises(ms.InputError, match="found rows"):
        ms.compare(lambda x: x, np.eye(3), [0, 1, 2])
    with pytest.raises(ms.InputError, match="a callable is asked for arrays"):
        ms.compare(mlp, "fashion-mnist")
