"""The line between two items."""

import numpy as np
import pytest

import morphscape as ms
from conftest import brightness


def test_a_file_s_changes_are_exact(images, model_path, mlp):
    line = ms.line(model_path, images[3318], images[5187])
    assert line.found == "exact" and line.intervals[0][0] == 0 and line.intervals[-1][1] == 1
    assert line.probabilities.shape == (101, 10) and len(line.crossings) == len(line.intervals) - 1 >= 1
    # Where two classes change, both lead: by the network written in numpy.
    a, b = images[[3318, 5187]].astype(np.float64)
    for at, (_, _, before), (_, _, after) in zip(line.crossings, line.intervals, line.intervals[1:]):
        logits = mlp(((1 - at) * a + at * b)[None].astype(np.float32))[0]
        first, second = np.argsort(logits)[:-3:-1]
        assert {line.classes[first], line.classes[second]} == {before, after}
        assert logits[first] - logits[second] < 1e-3
    for t, label in zip(line.t, line.predicted):
        if all(abs(t - at) > 1e-6 for at in line.crossings):
            [name] = {name for begin, end, name in line.intervals if begin <= t <= end}
            assert line.classes[label] == name
    unit = ms.line(model_path, images[3318] / 255, images[5187] / 255)
    np.testing.assert_allclose(unit.crossings, line.crossings, atol=1e-6)
    assert unit.distance == pytest.approx(np.linalg.norm(b - a) / 255)


def test_a_function_is_sampled(images, model_path, mlp):
    exact = ms.line(model_path, images[3318], images[5187])
    for line in (ms.line(mlp, images[3318], images[5187]), ms.line(model_path, images[3318], images[5187], exact=False)):
        assert line.found == "sampled" and len(line.crossings) == len(exact.crossings)
        np.testing.assert_allclose(line.crossings, exact.crossings, atol=0.5 / 100 + 1e-6)
        np.testing.assert_allclose(line.probabilities, exact.probabilities, atol=1e-5)


def test_rows_and_refusals(images):
    rows = np.array([[0.0, 0.0], [1.0, 3.0]])
    line = ms.line(lambda x: np.stack([x[:, 0] * 0 + 0.25, x[:, 0]], axis=1), *rows, steps=5)
    assert line.intervals == ((0.0, 0.375, "0"), (0.375, 1.0, "1")) and line.distance == pytest.approx(10**0.5)
    assert repr(line) == "<Line: 0 | 1, sampled>"
    with pytest.raises(ms.InputError, match="the same values"):
        ms.line(brightness, images[0], images[0])
    with pytest.raises(ms.InputError, match="steps"):
        ms.line(brightness, images[0], images[1], steps=1)
