"""Several models: the command line's bytes, matrices, tables, and the gate as a result."""

import csv
import json
import pickle
import threading

import numpy as np
import pytest

import morphscape as ms
from conftest import ROOT, brightness
from test_runs import command_line

CNN = ROOT / "models/fashion-mnist-cnn.safetensors"
FILES = ("pairs.csv", "landscapes.csv", "models.csv", "classes.csv", "items.csv", "series.csv")


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "out"
    done = command_line("models", "bundled", CNN, "--groups", 1, "--seed", 3, "--steps", 5, "--series", "--engine", "cpu", "--out", out)
    assert done.returncode == 0, done.stderr
    return out


HOW = {"groups": 1, "seed": 3, "steps": 5, "series": True, "engine": "cpu"}


def test_the_same_call_writes_the_same_bytes(by_command, tmp_path):
    found = ms.models([None, CNN], "fashion-mnist", out=tmp_path / "out", **HOW)
    for file in (*FILES, "maps.svg", "matrix.svg", "agreement.svg", "report.html", "1A.3/landscape-1.safetensors"):
        mine = tmp_path / "out" / file
        if file.startswith("1A.3"):
            mine = sorted((tmp_path / "out/1A.3").glob("*.safetensors"))[-1]
            file = mine.relative_to(tmp_path / "out")
        assert mine.read_bytes() == (by_command / file).read_bytes(), file
    assert found.names == ("bundled fashion-mnist", "fashion-mnist-cnn")
    assert command_line("verify", tmp_path / "out", "--engine", "cpu").returncode == 0
    again = ms.open(by_command)
    assert again.names == found.names and again.rows("landscapes") == found.rows("landscapes")
    np.testing.assert_array_equal(again.predicted, found.predicted)
    pickled = pickle.loads(pickle.dumps(again))
    assert pickled.rows() == found.rows() and pickled.path == by_command


def test_arrays_give_the_same_numbers(by_command, images, labels):
    found = ms.models({"mlp": None, "cnn": CNN}, images, labels, **HOW)
    assert found.names == ("mlp", "cnn") and found.path is None
    with pytest.raises(TypeError, match="do not pickle"):
        pickle.dumps(found)
    for table in ("pairs", "landscapes", "models", "classes", "items", "series"):
        with open(by_command / f"{table}.csv") as file:
            written = list(csv.DictReader(file))
        rows = found.rows(table)
        assert len(rows) == len(written) > 0
        for mine, theirs in zip(rows, written):
            for (key, value), (column, text) in zip(mine.items(), theirs.items()):
                if isinstance(value, float):
                    assert float(text) == pytest.approx(value, abs=6e-7), (table, key)
                elif value is None:
                    assert text == ""
                elif not isinstance(value, str):
                    assert int(text) == value and key == column


def test_matrices_and_labels_are_those_of_the_landscapes(images, labels):
    found = ms.models({"mlp": None, "cnn": CNN}, images, labels, **HOW)
    each = [ms.sweep(model, images, labels, groups=1, seed=3, steps=5, engine="cpu") for model in (None, CNN)]
    assert found.landscapes == each[0].names
    np.testing.assert_array_equal(found.predicted, [[one.predicted for one in swept] for swept in each])
    share = (found.predicted[0] == found.predicted[1]).mean()
    np.testing.assert_allclose(found.agreement, [[1, share], [share, 1]], atol=1e-12)
    distance = found.matrix("variation_distance")
    p, q = (swept.probabilities for swept in each)
    assert distance[0, 0] == 0 and distance[0, 1] == pytest.approx(np.abs(p - q).sum(axis=-1).mean() / 2, abs=1e-6)
    with pytest.raises(ms.InputError, match="measure: expected one of agreement"):
        found.matrix("likeness")


def test_planes_lie_as_landscapes_lie(images, labels):
    for kind in ("plane", "triangle"):
        how = {"groups": 1, "steps": 7, "kind": kind, "engine": "cpu"}
        found = ms.models([None, CNN], images, labels, **how)
        one = ms.sweep(None, images, labels, **how)
        np.testing.assert_array_equal(found.predicted[0], [each.predicted for each in one])


def test_the_gate_is_a_result(images, labels):
    found = ms.models({"mlp": None, "cnn": CNN}, images, labels, **HOW)
    share = found.agreement[0, 1]
    assert found.shortfalls(share - 0.01) == ()
    [short] = found.shortfalls(share + 0.01)
    assert short == ms.Shortfall(("mlp", "cnn"), None, pytest.approx(share), share + 0.01)
    of_classes = found.shortfalls(1.0, per_class=True)
    index = {row["class"]: row["jaccard"] for row in found.rows("classes")}
    for short in of_classes:
        if short.class_name is not None:
            assert short.found == pytest.approx(index[short.class_name])
    assert len(of_classes) > 1
    with pytest.raises(ms.InputError, match="min_agreement"):
        found.shortfalls(95)


def test_functions_of_several_frameworks(images, labels, mlp, tmp_path):
    names = ms.Model(None).classes
    calls, threads = [], set()

    def noted(x):
        calls.append(len(x))
        threads.add(threading.get_ident())
        return mlp(x)

    several = {"file": None, "numpy": ms.Model(noted, class_names=names), "half": ms.Model(lambda x: mlp(x) / 2, class_names=names)}
    found = ms.models(several, images, labels, groups=1, steps=5, engine="cpu", out=tmp_path / "out", report=False)
    # Half the logits, the same labels.
    np.testing.assert_allclose(found.agreement, 1, atol=1e-12)
    # All frames in batches of 256, not a call a landscape: the items, 150 frames, the items again.
    assert len(calls) <= 4 and max(calls) == 150
    assert len(list((tmp_path / "out/1A.3").glob("*.safetensors"))) == 3
    # Beside a file, too, a function is called on the thread that called us.
    assert threads == {threading.get_ident()}
    # Without names the classes of a function are numbers.
    with pytest.raises(ms.InputError, match="match="):
        ms.models([None, mlp], images, labels, groups=1, steps=3)
    by_order = ms.models([None, mlp], images, labels, groups=1, steps=3, match="order")
    np.testing.assert_allclose(by_order.agreement, 1, atol=1e-12)


def test_estimators_on_rows(tmp_path):
    sklearn = pytest.importorskip("sklearn")
    del sklearn
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    pytest.importorskip("pandas")
    iris = load_iris(as_frame=True)
    kinds = [iris.target_names[label] for label in iris.target]
    forest = RandomForestClassifier(20, random_state=0).fit(iris.data, kinds)
    linear = LogisticRegression(max_iter=1000).fit(iris.data, kinds)
    found = ms.models([forest, linear], iris.data, kinds, groups=2)
    assert found.names == ("RandomForestClassifier", "LogisticRegression")
    # Mixed rows have 11 points a side, as on the command line.
    assert found.predicted.shape == (2, 6, 11, 11) and 0.5 < found.agreement[0, 1] < 1
    assert list(found.to_frame().columns[:3]) == ["model_a", "model_b", "triples"]
    page = found.report(tmp_path / "models.html")
    assert "RandomForestClassifier" in page.read_text()
    assert found._repr_html_().startswith("<svg") and "2" not in repr(type(found))


def test_a_run_as_baseline(images, labels, tmp_path):
    run = ms.sweep(None, "fashion-mnist", groups=1, steps=5, engine="cpu", out=tmp_path / "run", report=False)
    found = ms.models([CNN], baseline=run.path, engine="cpu")
    assert found.names == ("baseline run", "fashion-mnist-cnn")
    beside = ms.models([None, CNN], images, labels, groups=1, steps=5, engine="cpu")
    np.testing.assert_allclose(found.agreement, beside.agreement)
    for wrong in ({"items": images}, {"groups": 2}, {"steps": 7}, {"seed": 2}):
        with pytest.raises(ms.InputError, match=f"{next(iter(wrong))}: the baseline decides"):
            ms.models([CNN], baseline=run.path, **wrong)
    with pytest.raises(ms.InputError, match="give arrays"):
        ms.models([brightness], baseline=run.path)


def test_what_is_refused(images, labels):
    for models, words in (
        ("one.keras", "a mapping or a sequence"),
        ([], "at least two"),
        ([None], "at least two models"),
    ):
        with pytest.raises(ms.InputError, match=words):
            ms.models(models, images, labels, groups=1, steps=3)
    with pytest.raises(ms.InputError, match="match: expected"):
        ms.models([None, CNN], images, labels, match="names")
    with pytest.raises(ms.InputError, match="items: expected"):
        ms.models([None, CNN])
    with pytest.raises(TypeError, match="unexpected keyword argument 'keep_frames'"):
        ms.models([None, CNN], images, labels, keep_frames=True)
    found = ms.models([None, CNN], images, labels, groups=1, steps=3, engine="cpu")
    with pytest.raises(ms.InputError, match="table: expected one of"):
        found.rows("series")
    with pytest.raises(ms.InputError, match="kind: expected one of"):
        found.svg("pie")


def test_the_manifest_names_functions(images, labels, mlp, tmp_path):
    found = ms.models([mlp, mlp], images, labels, groups=1, steps=3, engine="cpu", out=tmp_path / "out", tensors=False)
    manifest = json.loads((found.path / "manifest.json").read_text())
    assert manifest["plan"]["model"]["file"] == "callable: network"
    assert not (found.path / "1A.3").exists() and (found.path / "pairs.csv").exists()
    with pytest.raises(ms.InputError, match="keeps its landscapes"):
        ms.open(found.path)


def test_an_exception_of_one_of_them_passes(images, labels, mlp):
    calls = []

    def model(x):
        calls.append(1)
        if len(calls) > 1:
            raise KeyError("mine")
        return mlp(x)

    for models in ([None, model], [mlp, model]):
        calls.clear()
        with pytest.raises(KeyError, match="mine"):
            ms.models(models, images, labels, groups=1, steps=3, match="order", engine="cpu")
