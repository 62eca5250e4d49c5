"""Figures in Python: matplotlib and plotly, where they are installed."""

import subprocess
import sys

import numpy as np
import pytest

import morphscape as ms


@pytest.fixture(scope="module")
def one(images, model_path):
    return ms.landscape(model_path, *images[[9, 2, 1]], steps=9)


@pytest.mark.parametrize("kind", ["map", "line", "surface", "ternary"])
def test_plot(one, kind):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    display = one.plot(kind)
    assert display.figure_ is display.ax_.figure and display.ax_.get_title()
    figure = plt.figure()
    ax = figure.add_subplot(projection="3d" if kind == "surface" else None)
    assert one.plot(kind, ax=ax).ax_ is ax
    figure.canvas.draw()
    plt.close("all")


def test_the_map_shows_the_predicted_classes(one):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = one.plot("map").ax_
    np.testing.assert_array_equal(np.asarray(ax.images[0].get_array()), one.predicted)
    shown = {text.get_text() for text in ax.get_legend().get_texts()}
    assert shown == {one.classes[n] for n in np.unique(one.predicted)}
    with pytest.raises(ms.InputError, match='found "pie"'):
        one.plot("pie")


def test_surface_is_a_plotly_figure(one):
    go = pytest.importorskip("plotly.graph_objects")
    figure = one.surface()
    assert isinstance(figure, go.Figure)
    z = {trace.name: np.asarray(trace.z, dtype=np.float32) for trace in figure.data}
    first = next(iter(z))
    label = [n for n, name in enumerate(one.classes) if name in first]
    np.testing.assert_allclose(z[first], one.probabilities[..., label[0]], atol=1e-6)


def test_what_is_missing_is_said(one):
    program = (
        "import sys; sys.modules.update(plotly=None, matplotlib=None, pandas=None)\n"
        "import morphscape as ms\n"
        "x, _ = ms.fashion_mnist()\n"
        "one = ms.landscapes(None, x, [(9, 2, 1)], steps=2)\n"
        "for call in (one[0].surface, one[0].plot, one.to_frame):\n"
        "    try: call()\n"
        "    except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and all("pip install" in line for line in lines)
