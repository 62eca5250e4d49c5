"""What a landscape is, against the program's own numbers and against numpy's."""

import inspect
import pickle

import numpy as np
import pytest

import morphscape as ms


def test_a_numpy_function_of_the_network_answers_as_its_file(images, mlp, model_path):
    file = ms.landscape(model_path, images[9], images[2], images[1], engine="cpu")
    function = ms.landscape(mlp, images[9], images[2], images[1], engine="cpu")
    assert file.probabilities.shape == (21, 21, 10)
    np.testing.assert_allclose(function.probabilities, file.probabilities, atol=1e-5, rtol=0)
    assert (function.predicted == file.predicted).all()
    assert function.classes == tuple("0123456789") and file.classes[9] == "Ankle boot"


def test_arrays_are_what_they_say(images, mlp):
    one = ms.landscape(mlp, images[9], images[2], images[1], steps=7, keep_frames=True)
    assert one.logits.dtype == np.float32 and one.predicted.dtype == np.int32
    np.testing.assert_array_equal(one.probabilities.argmax(axis=2), one.predicted)
    powers = np.exp(one.logits - one.logits.max(axis=2, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=2, keepdims=True), one.probabilities, atol=1e-6)
    assert one.frames.shape == (7, 7, 28, 28)
    for corner, item in (((0, 0), 9), ((6, 0), 2), ((0, 6), 1), ((6, 6), 1)):
        np.testing.assert_array_equal(one.frames[corner], images[item])
    np.testing.assert_allclose(mlp(one.frames.reshape(-1, 28, 28)).reshape(7, 7, 10), one.logits, atol=1e-4)
    np.testing.assert_array_equal(one.items, images[[9, 2, 1]])
    for array in (one.logits, one.probabilities, one.predicted, one.frames, one.items):
        assert not array.flags.writeable
    assert one.item_predicted == one.item_labels and len(one.item_names) == 3


def test_without_frames_there_are_none(images, mlp):
    assert ms.landscape(mlp, images[9], images[2], images[1], steps=3).frames is None


def test_many_are_each_alone(images, labels, mlp):
    triples = [(9, 2, 1), (1, 2, 9), (9, 2, 3)]
    many = ms.landscapes(mlp, images, triples, labels=labels, steps=5)
    assert len(many) == 3 and many.names == ("0", "1", "2")
    for one, (a, b, c) in zip(many, triples):
        alone = ms.landscape(mlp, images[a], images[b], images[c], steps=5)
        np.testing.assert_allclose(one.probabilities, alone.probabilities, atol=1e-6)
        assert one.item_labels == tuple(str(labels[at]) for at in (a, b, c))
    assert any("of 4 items as labelled" in note for note in many.notes)
    assert many.probabilities.shape == (3, 5, 5, 10)
    # Two items of one class: measured, since a user may want just that.
    same = ms.landscapes(mlp, images, [(9, 9, 2)], steps=5)[0]
    assert same.measures["intrusion"] is not None


def test_measures_are_those_of_numpy(images, mlp):
    one = ms.landscape(mlp, images[9], images[2], images[1], steps=11)
    of_items = [one.classes.index(label) for label in one.item_labels]
    share = np.mean(~np.isin(one.predicted, of_items))
    assert one.measures["intrusion"] == pytest.approx(share)
    assert set(one.measures) == set(ms.measures())
    with pytest.raises(TypeError):
        one.measures["intrusion"] = 0.0


def test_modes_and_settings(images, mlp):
    three = images[9], images[2], images[1]
    faded = ms.landscape(mlp, *three, steps=5, mode="cross-fade", keep_frames=True)
    levels = images[[9, 2]].astype(np.float64)
    np.testing.assert_allclose(faded.frames[2, 0], levels.mean(axis=0), atol=1e-3)
    assert faded.settings["mode"] == "cross-fade"
    assert ms.landscape(mlp, *three, steps=5, mode="published").settings["mode"] == "published"
    linear = ms.landscape(mlp, *three, steps=5, sampling="linear")
    cubic = ms.landscape(mlp, *three, steps=5)
    assert not np.array_equal(linear.logits, cubic.logits)
    for wrong in ({"mode": "fade"}, {"sampling": "nearest"}, {"mode": "published", "sampling": "linear"}, {"steps": 1},
                  {"steps": 2000}, {"grid": 0}, {"engine": "tpu"}, {"layout": "CWH"}):  # fmt: skip
        with pytest.raises(ms.InputError) as refused:
            ms.landscape(mlp, *three, **wrong)
        assert next(iter(wrong)) in str(refused.value) or "grid" in wrong


def test_a_morph_has_the_frames_of_a_landscape(images, mlp):
    frames = ms.morph(images[9], images[2], alphas=5)
    assert frames.shape == (5, 28, 28) and frames.dtype == np.float32
    np.testing.assert_array_equal(frames[0], images[9])
    np.testing.assert_array_equal(frames[-1], images[2])
    one = ms.landscape(mlp, images[9], images[2], images[1], steps=5, keep_frames=True, engine="cpu")
    np.testing.assert_allclose(frames, one.frames[:, 0], atol=1e-3)
    np.testing.assert_array_equal(ms.morph(images[9], images[2], alphas=[0.25]), frames[1:2])
    with pytest.raises(ms.InputError, match="weights from 0 to 1"):
        ms.morph(images[9], images[2], alphas=[1.5])


def test_rows_are_mixed(labels):
    rows = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    asked = []

    def nearest(x):
        asked.append(x)
        return -((x[:, None] - rows) ** 2).sum(axis=2) * 9

    one = ms.landscape(nearest, *rows, steps=3)
    assert one.frames.shape == (3, 3, 2)
    np.testing.assert_allclose(one.frames[1, 0], [0.5, 0.0])
    np.testing.assert_allclose(one.frames[1, 1], [0.25, 0.5])
    assert [one.predicted[0, 0], one.predicted[2, 0], one.predicted[0, 2]] == [0, 1, 2]
    assert all(x.dtype == np.float64 for x in asked), "float64 rows stay float64"
    with pytest.raises(ms.InputError, match="rows are mixed"):
        ms.landscape(nearest, *rows, mode="published")


def test_it_shows_itself(images, mlp):
    one = ms.landscape(mlp, images[9], images[2], images[1])
    page = one._repr_html_()
    assert "<svg" in page and "<script" not in page and len(page) < 30_000
    assert all(f"<td>{key}</td>" in page for key in ("intrusion", "total_variation", "regions_4", "entropy"))
    assert page.count("<tr>") == 6
    for kind in ("map", "line", "surface", "ternary", "scatter"):
        assert one.svg(kind).startswith("<svg"), kind
    with pytest.raises(ms.InputError, match="keep_frames=True"):
        one.svg("paths")
    with pytest.raises(ms.InputError, match='found "pie"'):
        one.svg("pie")
    kept = ms.landscape(mlp, images[9], images[2], images[1], steps=5, keep_frames=True)
    for kind in ("paths", "sheet", "mesh"):
        assert kept.svg(kind).startswith("<svg"), kind


def test_it_is_saved_and_pickled(images, mlp, tmp_path):
    one = ms.landscape(mlp, images[9] / 255, images[2] / 255, images[1] / 255, steps=5, keep_frames=True)
    path = tmp_path / "one.safetensors"
    one.save(path)
    read = ms.read_landscape(path)
    again = pickle.loads(pickle.dumps(one))
    for other in (read, again):
        np.testing.assert_array_equal(other.logits, one.logits)
        assert dict(other.measures) == dict(one.measures) and other.classes == one.classes
    np.testing.assert_array_equal(again.frames, one.frames)
    assert again.notes == one.notes and read.frames.max() > 1, "a file holds grey levels"
    # What was measured of three landscapes together stays with each.
    swept = pickle.loads(pickle.dumps(ms.sweep(mlp, images, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] * 1000, groups=1, steps=7)))
    assert swept["1A.1"].measures["order_weights"] > 0
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(ms.InputError, match="no.safetensors"):
        ms.read_landscape(tmp_path / "no.safetensors")


def test_lists(images, labels, mlp):
    pandas = pytest.importorskip("pandas")
    swept = ms.sweep(mlp, images, labels, groups=1, steps=5)
    frame = swept.to_frame()
    assert isinstance(frame, pandas.DataFrame) and list(frame.landscape) == list(swept.names)
    top = swept.top("curvature", 2)
    values = sorted((one.measures["curvature"] for one in swept), reverse=True)
    assert [one.measures["curvature"] for one in top] == values[:2]
    assert swept["1A.2"].name == "1A.2" and len(swept[1:3]) == 2
    with pytest.raises(KeyError):
        swept["9Z.9"]
    with pytest.raises(ms.InputError, match="by: expected a measure"):
        swept.top("beauty")
    # The three landscapes of a triple are measured together.
    wide = ms.sweep(mlp, images, labels, groups=1, steps=7)
    assert wide["1A.1"].measures["order_weights"] == wide["1A.2"].measures["order_weights"] > 0


def test_an_engine_that_is_left_is_said(images, mlp, monkeypatch):
    from morphscape import _say

    class Said:
        def __getattr__(self, name):
            return (lambda: ["the device is lost"]) if name == "engine_messages" else getattr(ms._morphscape, name)

    monkeypatch.setattr(_say, "_morphscape", Said())
    with pytest.warns(RuntimeWarning, match="the device is lost") as warned:
        ms.landscape(mlp, *images[[9, 2, 1]], steps=2)
    assert warned[0].filename == __file__, "the line that made the call"


def test_every_call_lists_its_options(images):
    for call in (ms.landscape, ms.landscapes, ms.sweep, ms.models):
        parameters = inspect.signature(call).parameters
        assert parameters["grid"].default == 3 and parameters["engine"].kind is inspect.Parameter.KEYWORD_ONLY
        assert "options" not in parameters and ("keep_frames" in parameters) == (call is not ms.models)
        assert "Feature cells a side" in call.__doc__ and "{options}" not in call.__doc__
    with pytest.raises(TypeError, match=r"landscape\(\) got an unexpected keyword argument 'stpes'"):
        ms.landscape(None, *images[[9, 2, 1]], stpes=3)
