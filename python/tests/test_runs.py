"""Sweeps: the same bytes as the command line's, folders that are resumed, finished runs."""


import pickle
import subprocess
import sys

import numpy as np
import pytest

import morphscape as ms
from conftest import brightness


def command_line(*words):
    words = [sys.executable, "-m", "morphscape", *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    out = tmp_path_factory.mktemp("command") / "out"
    done = command_line("sweep", "--groups", 2, "--seed", 5, "--steps", 7, "--engine", "cpu", "--figures", "none", "--out", out)
    assert done.returncode == 0, done.stderr
    return ms.open(out)


def test_the_same_call_gives_the_same_bytes(by_command, images, labels, model_path, tmp_path):
    how = {"groups": 2, "seed": 5, "steps": 7, "engine": "cpu"}
    in_memory = ms.sweep(model_path, images, labels, **how)
    in_units = ms.sweep(model_path, images / 255, labels, **how)
    from_array = ms.sweep(model_path, images, labels, out=tmp_path / "array", report=False, **how)
    from_name = ms.sweep(None, "fashion-mnist", out=tmp_path / "name", report=False, **how)
    assert len(by_command) == 12
    for runs in (in_memory, from_array, from_name):
        assert runs.names == by_command.names
        for name in by_command.names:
            assert runs[name].logits.tobytes() == by_command[name].logits.tobytes()
            assert runs[name].probabilities.tobytes() == by_command[name].probabilities.tobytes()
            assert dict(runs[name].measures) == dict(by_command[name].measures)
    np.testing.assert_allclose(in_units.probabilities, in_memory.probabilities, atol=1e-5)
    # Of the same data by name, even the files are the same.
    for name in by_command.names:
        path = f"{name}/landscape.safetensors"
        assert (from_name.path / path).read_bytes() == (by_command.path / path).read_bytes()
    assert command_line("verify", from_name.path, "--engine", "cpu").returncode == 0
    # A folder that either began the other resumes.
    resumed = ms.sweep(None, "fashion-mnist", out=by_command.path, report=False, **how)
    assert resumed.names == by_command.names and resumed.manifest["plan"] == from_name.manifest["plan"]


def test_classes_mean_what_they_mean_there(images, labels, tmp_path):
    done = command_line("sweep", "--classes", "9,4,5", "--steps", 3, "--engine", "cpu", "--figures", "none", "--out", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    by_command = ms.open(tmp_path / "c")
    for classes in ([9, 4, 5], ["ankle boot", "coat", "sandal"]):
        swept = ms.sweep(None, images, labels, classes=[classes], steps=3, engine="cpu")
        np.testing.assert_array_equal(swept.probabilities, by_command.probabilities)
    for wrong in ([9, 4], [9, 4, 4], [9, 4, 10], ["hat", 4, 5]):
        with pytest.raises(ms.InputError, match="classes"):
            ms.sweep(None, images, labels, classes=[wrong])


def test_a_finished_run(by_command):
    pytest.importorskip("pandas")
    frame = by_command.to_frame()
    assert list(frame.landscape) == list(by_command.names) and frame.intrusion.dtype == float
    assert [one.name for one in by_command.top("intrusion", 1)] == [frame.loc[frame.intrusion.idxmax(), "landscape"]]
    assert by_command.manifest["finished"] is True and len(by_command[:2]) == 2
    assert by_command["1A.1"].item_names[0].startswith("t10k#")
    report = by_command.report()
    assert report.name == "report.html" and report.stat().st_size > 100_000
    again = pickle.loads(pickle.dumps(by_command))
    assert again.names == by_command.names
    with pytest.raises(KeyError):
        by_command["9Z.1"]
    with pytest.raises(ms.InputError, match="expected the folder of a run"):
        ms.open(by_command.path / "1A.1")


def test_a_file_has_the_measures_of_its_triple(by_command, tmp_path):
    one = by_command["1A.2"]
    assert one.measures["order_asymmetry"] is not None
    for read in (
        ms.read_landscape(by_command.path / "1A.2/landscape.safetensors"),
        pickle.loads(pickle.dumps(one)),
    ):
        assert dict(read.measures) == dict(one.measures)
    one.save(tmp_path / "saved.safetensors")
    assert dict(ms.read_landscape(tmp_path / "saved.safetensors").measures) == dict(one.measures)


def test_rows_have_the_steps_of_the_command_line(tmp_path):
    done = command_line("interpolate", "--engine", "cpu", "--groups", 1, "--figures", "none", "--out", tmp_path / "command")
    assert done.returncode == 0, done.stderr
    run = ms.sweep(None, "iris", groups=1, engine="cpu", out=tmp_path / "python", report=False)
    other = ms.open(tmp_path / "command")
    assert run.names == other.names and run[0].steps == 11
    for name in run.names:
        path = f"{name}/landscape.safetensors"
        assert (run.path / path).read_bytes() == (other.path / path).read_bytes()


def test_a_callable_in_a_folder(images, labels, mlp, tmp_path):
    how = {"groups": 1, "steps": 5, "engine": "cpu", "report": False, "out": tmp_path / "out"}
    calls = []

    def model(x):
        calls.append(len(x))
        return mlp(x)

    first = ms.sweep(model, images, labels, keep_frames=True, **how)
    expected = ms.sweep(None, images, labels, groups=1, steps=5, engine="cpu")
    np.testing.assert_allclose(first.probabilities, expected.probabilities, atol=1e-5)
    assert first["1A.1"].frames.shape == (5, 5, 28, 28)
    asked = len(calls)
    again = ms.sweep(model, images, labels, keep_frames=True, **how)
    assert len(calls) == asked + 1, "the landscapes are kept; the items alone are asked again"
    assert again.names == first.names
    before = first.probabilities
    # Another function of the same name is another model.
    with pytest.raises(ms.InputError, match="force="):
        ms.sweep(lambda x: mlp(x) * 2, images, labels, keep_frames=True, **how)
    forced = ms.sweep(lambda x: mlp(x) * 2, images, labels, force=True, **how)
    assert not np.array_equal(forced.probabilities, before)
    # What only this process has cannot be computed again by another one.
    done = command_line("verify", tmp_path / "out")
    assert done.returncode != 0 and "error" in done.stderr


def test_an_exception_leaves_a_folder_that_goes_on(images, labels, mlp, tmp_path):
    calls = []

    def model(x):
        calls.append(1)
        if len(calls) == 2:
            raise KeyError("mine")
        return mlp(x)

    how = {"groups": 1, "steps": 5, "engine": "cpu", "report": False, "out": tmp_path / "out"}
    with pytest.raises(KeyError, match="mine"):
        ms.sweep(model, images, labels, **how)
    assert len(ms.sweep(model, images, labels, **how)) == 6


def test_what_is_refused(images, labels, tmp_path):
    with pytest.raises(ms.InputError, match="labels: expected one for each item"):
        ms.sweep(None, images)
    with pytest.raises(ms.InputError, match="say which with out="):
        ms.sweep(None, "fashion-mnist")
    with pytest.raises(ms.InputError, match="a callable is asked for arrays"):
        ms.sweep(brightness, "fashion-mnist", out=tmp_path / "a")
    with pytest.raises(ms.InputError, match="no/where"):
        ms.sweep(None, "no/where", out=tmp_path / "b")
    with pytest.raises(ms.InputError, match="groups"):
        ms.sweep(None, images, labels, groups=0)
    with pytest.raises(ms.InputError, match="expected 3 classes or more"):
        ms.sweep(None, images, np.zeros(len(images), int))
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_no_driver_speaks_before_the_command_line(monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    listed = command_line("devices")
    assert listed.returncode == 0 and "XDG_RUNTIME_DIR" not in listed.stderr


def test_the_command_line_is_in_the_wheel():
    done = command_line("--version")
    assert done.returncode == 0 and done.stdout.startswith(f"morphscape {ms.__version__}")
    assert command_line("sweep", "--help").returncode == 0
    wrong = command_line("sweep", "--stpes", "3")
    assert wrong.returncode == 2 and "--steps" in wrong.stderr
    failed = command_line("sweep", "--data", "no/where")
    assert failed.returncode == 1 and failed.stderr.startswith("error:")
    predicted = command_line("predict", "t10k#9", "--engine", "cpu")
    assert predicted.returncode == 0 and "Ankle boot" in predicted.stdout

