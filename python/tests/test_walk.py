"""Random walks: on landscapes in memory as on the command line's, and on surfaces whose laws are known."""

import numpy as np
import pytest

import morphscape as ms
from test_runs import command_line


def test_a_free_walk_diffuses():
    free = ms.walk(walkers=4000, length=400, seed=3, engine="cpu")
    assert free.exponent == pytest.approx(1, abs=0.03) and free.exponent_error < 0.02
    # The variance of n steps of length 1 is n.
    np.testing.assert_allclose(free.moments["msd"], free.moments["step"], rtol=0.1)
    assert free.potential is None and free.paths.shape == (4, free.paths.shape[1], 2)
    again = ms.walk(walkers=4000, length=400, seed=3, engine="cpu")
    np.testing.assert_array_equal(again.moments["msd"], free.moments["msd"])
    drifting = ms.walk(drift=0.5, walkers=2000, length=100, engine="cpu")
    np.testing.assert_allclose(drifting.moments["mean_x"], 0.25 * drifting.moments["step"], atol=1.5)


def test_a_bowl_is_walked_on_as_its_law_says():
    bowl = ms.walk("bowl", bowl=(2, 2), steps=15, walkers=20_000, length=1500, engine="cpu")
    assert bowl.potential.shape == (15, 15)
    side = np.linspace(-1, 1, 15)
    np.testing.assert_allclose(bowl.potential, 2 * (side**2 + side[:, None] ** 2), atol=1e-5)
    law = np.exp(-bowl.potential.astype(float))
    np.testing.assert_allclose(bowl.stationary, law / law.sum(), rtol=1e-4)
    assert np.abs(bowl.occupation - bowl.stationary).sum() / 2 < 0.02


def test_a_landscape_in_memory_is_walked_on_as_its_folder(images, labels, tmp_path):
    run = ms.sweep(None, images, labels, groups=1, steps=5, engine="cpu", out=tmp_path / "run", report=False)
    in_memory = ms.sweep(None, images, labels, groups=1, steps=5, engine="cpu")
    how = {"walkers": 100, "length": 200, "seed": 4, "engine": "cpu"}
    done = command_line(
        "walk", "--landscape", run.path / "1A.3", "--walkers", 100, "--length", 200, "--seed", 4, "--engine", "cpu",
        "--figures", "none", "--out", tmp_path / "walk",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = dict(line.split("  ", 1) for line in done.stdout.splitlines())
    for one in (run["1A.3"], in_memory["1A.3"]):
        walked = ms.walk(one, **how)
        assert {key: value.strip() for key, value in facts.items()} == walked.facts
        table = (tmp_path / "walk/walk.csv").read_text().splitlines()
        assert table[0].split(",") == list(walked.moments)
        written = np.array([row.split(",") for row in table[1:]], dtype=float)
        np.testing.assert_allclose(written.T, list(walked.moments.values()), atol=1e-8)
    # Written, it is the command line's folder, and the run's report shows the walk, too.
    shown = sorted(path.name for path in (run.path / "1A.3").glob("walk*"))
    written = ms.walk(run["1A.3"], out=tmp_path / "written", report=False, **how)
    for file in ("walk.csv", "walk.safetensors"):
        assert (written.path / file).read_bytes() == (tmp_path / "walk" / file).read_bytes(), file
    assert written.facts == walked.facts and shown == sorted(path.name for path in (run.path / "1A.3").glob("walk*"))
    of_memory = ms.walk(one, out=tmp_path / "memory", report=False, **how)
    assert (of_memory.path / "walk.csv").read_bytes() == (tmp_path / "walk/walk.csv").read_bytes()
    with pytest.raises(ms.InputError, match="force="):
        ms.walk(one, out=tmp_path / "memory", **{**how, "seed": 5})
    ms.walk(run["1A.3"], out=tmp_path / "memory", force=True, **{**how, "seed": 5})
    assert (tmp_path / "memory/report.html").exists() and (run.path / "1A.3/walk-spread.svg").exists()
    p = one.probabilities[..., one.classes.index(one.item_labels[2])]
    np.testing.assert_allclose(walked.potential, -np.log(np.maximum(p, 1e-38)), rtol=1e-4, atol=1e-4)
    assert ms.walk(one, potential="margin", **how).potential.min() < 0
    named = ms.walk(one, class_name=one.item_labels[0], **how)
    assert not np.array_equal(named.potential, walked.potential)


def test_it_shows_itself():
    walked = ms.walk("fractal", hurst=0.8, steps=9, walkers=500, length=50, engine="cpu", edges="absorbing")
    page = walked._repr_html_()
    assert "<svg" in page and "exponent" in page and "<script" not in page
    assert set(walked.figures) >= {"spread", "walkers"} and walked.svg("walkers").startswith("<svg")
    assert walked.passage_steps.shape == (9, 9)
    with pytest.raises(ms.InputError, match='found "pie"'):
        walked.svg("pie")
    pytest.importorskip("pandas")
    frame = walked.to_frame()
    assert list(frame.columns)[:3] == ["step", "time", "msd"] and len(frame) == len(walked.moments["step"])


@pytest.mark.parametrize(
    "on, options, words",
    [
        ("cone", {}, 'expected a Landscape, "flat"'),
        ("bowl", {"walk": "levy"}, "walk: expected one of lattice, langevin"),
        ("bowl", {"edges": "open"}, "edges"),
        ("bowl", {"walkers": 0}, "walkers"),
        ("bowl", {"length": 2**25}, "length"),
        ("bowl", {"steps": 1}, "steps"),
        ("bowl", {"temperature": -1}, "temperature -1"),
        ("bowl", {"start": (9, 9)}, "each from -1 to 1"),
        ("bowl", {"basins": "AA"}, "basins"),
        ("bowl", {"basins": "A,B"}, "basins"),
        ("bowl", {"potential": "margin", "class_name": "0"}, "leave class_name out"),
        ("flat", {"dt": 0.1}, "dt="),
        ("flat", {"drift": 2}, "drift 2"),
        ("fractal", {"hurst": 2}, "hurst 2"),
    ],
)
def test_what_is_refused(on, options, words):
    with pytest.raises(ms.InputError) as refused:
        ms.walk(on, **{"walkers": 10, "length": 10, "engine": "cpu", **options})
    assert words in str(refused.value)
