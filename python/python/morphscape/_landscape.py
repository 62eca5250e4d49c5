"""A landscape as a user holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._class_map import ClassMap, class_map_of
from ._data import Floats, View

if TYPE_CHECKING:
    from ._display import LandscapeDisplay

SHOWN = ("intrusion", "confident_intrusion", "total_variation", "label_changes", "regions_4", "entropy")
"""Measures that stand beside the map."""

SMALL_MAP = 64
"""Points a side of the map in a notebook at most."""


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = array.view()
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Given:
    """What a call knows of a landscape's items beyond its file."""

    view: Optional[View] = None
    items: Optional[npt.NDArray[Any]] = None
    item_predicted: Optional[tuple[str, str, str]] = None
    notes: tuple[str, ...] = ()
    path: Optional[str] = None
    """Where it was read, in a run's folder or as a file."""


class Landscape:
    """A classifier's answers on the grid between three items.

    Row ``i`` mixes A and B, column ``j`` leads the mix into C. On a plane, alpha grows with ``i`` and beta with
    ``j``. On a triangle, the share of B grows with ``i`` and that of C with ``j``; values are NaN where these shares
    sum to more than 1. Arrays are read-only.
    """

    def __init__(self, file: _morphscape.LandscapeFile, given: Given = Given()) -> None:
        self._file = file
        self._given = given

    @property
    def name(self) -> str:
        """Its name, e.g. ``1A.3``."""
        return self._file.name

    @property
    def steps(self) -> int:
        """Points a side."""
        return self._file.steps

    @property
    def kind(self) -> str:
        """What lies between its items: ``morph``, ``cross-fade``, ``rows``, ``plane`` or ``triangle``."""
        return self._file.kind

    @property
    def anchors(self) -> Optional[npt.NDArray[np.float64]]:
        """On a plane or triangle, alpha and beta of A, B and C, ``(3, 2)``, in ``unit``."""
        return None if self._file.flat is None else np.array(self._file.flat[0])

    @property
    def axes(self) -> Optional[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
        """On a plane, alpha of each row and beta of each column."""
        if self._file.flat is None or self.kind != "plane":
            return None
        alpha, beta = self._file.flat[1]
        return np.array(alpha), np.array(beta)

    @property
    def unit(self) -> Optional[str]:
        """On a plane or triangle, the unit of ``anchors`` and ``axes``."""
        return None if self._file.flat is None else self._file.flat[2]

    @property
    def class_map(self) -> Optional[ClassMap]:
        """On a plane or triangle, which class is predicted where between the points, and how exactly that is known.

        None for other kinds, and for a file that was saved by itself.
        """
        return class_map_of(self._file)

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of every class."""
        return tuple(self._file.class_names)

    @property
    def logits(self) -> Floats:
        """``(steps, steps, classes)``; NaN where a frame failed."""
        return read_only(self._file.logits())

    @property
    def probabilities(self) -> Floats:
        """``(steps, steps, classes)``; NaN where a frame failed."""
        return read_only(self._file.probabilities())

    @property
    def predicted(self) -> npt.NDArray[np.int32]:
        """The most probable class of each point, ``(steps, steps)``; -1 where a frame failed."""
        return read_only(self._file.predicted().reshape(self.steps, self.steps))

    @property
    def frames(self) -> Optional[npt.NDArray[Any]]:
        """The inputs themselves ``(steps, steps, *item.shape)`` in the items' units, where they were kept."""
        levels = self._file.inputs()
        if levels is None:
            return None
        levels = levels.reshape(self.steps, self.steps, -1)
        if self._given.view is not None:
            return read_only(self._given.view.arrays(levels, own=False))
        shape = self._file.image_shape
        if shape is None:
            return read_only(levels)
        height, width, channels = shape
        side = (height, width) if channels == 1 else shape
        return read_only(levels.reshape(self.steps, self.steps, *side))

    @property
    def items(self) -> Optional[npt.NDArray[Any]]:
        """A, B and C as they were given, ``(3, *item.shape)``; None for a landscape from a file."""
        return None if self._given.items is None else read_only(self._given.items)

    @property
    def item_names(self) -> tuple[str, str, str]:
        """What A, B and C are called."""
        a, b, c = self._file.item_names
        return a, b, c

    @property
    def item_labels(self) -> tuple[str, str, str]:
        """The classes of A, B and C."""
        a, b, c = (self.classes[label] for label in self._file.item_classes)
        return a, b, c

    @property
    def item_predicted(self) -> Optional[tuple[str, str, str]]:
        """The classes predicted for A, B and C; None for a plane from a file, whose points miss the items."""
        if self._given.item_predicted is not None:
            return self._given.item_predicted
        if self.kind == "plane":
            return None
        corners = self.predicted[[0, -1, 0], [0, 0, -1]]
        a, b, c = (self.classes[label] if label >= 0 else "" for label in corners)
        return a, b, c

    @property
    def measures(self) -> Mapping[str, Optional[float]]:
        """Every measure by its key, as in ``summary.csv``; :func:`morphscape.measures` explains them."""
        return MappingProxyType(self._file.measures())

    @property
    def intruders(self) -> tuple[str, ...]:
        """Classes that are predicted somewhere but are none of the items', the most frequent first."""
        return tuple(self.classes[label] for label in self._file.intruders)

    @property
    def settings(self) -> dict[str, Any]:
        """How its grid was made."""
        settings: dict[str, Any] = json.loads(self._file.settings)
        return settings

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed when it was computed."""
        return self._given.notes

    def svg(self, kind: str = "map") -> str:
        """A figure as SVG: map, line, surface, ternary, scatter; with kept frames paths, sheet, mesh."""
        return self._file.svg(kind)

    def surface(self) -> Any:
        """The probabilities as surfaces in a ``plotly.graph_objects.Figure``, which shows itself."""
        try:
            import plotly.graph_objects as go
        except ImportError:
            raise ImportError("surface() draws with plotly, which is not installed: pip install plotly") from None
        return go.Figure(json.loads(self._file.plotly()))

    def plot(self, kind: str = "map", ax: Any = None) -> LandscapeDisplay:
        """Draws with matplotlib, into ``ax`` if one is given: ``map``, ``line``, ``ternary`` or ``surface``."""
        from ._display import LandscapeDisplay

        return LandscapeDisplay(self).plot(kind, ax=ax)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes a ``.safetensors`` file that :func:`morphscape.read_landscape` and other readers open."""
        self._file.save(os.fspath(path))

    def __repr__(self) -> str:
        size = f"{self.steps} x {self.steps}, {len(self.classes)} classes"
        return f"<Landscape {self.name}: {self._file.title}, {size}>"

    def _repr_html_(self) -> str:
        rows = []
        for key, value in list(self.measures.items()):
            if key in SHOWN:
                text = "–" if value is None else f"{value:.3g}"
                rows.append(f"<tr><td>{key}</td><td>{text}</td></tr>")
        return f'<div style="display:flex;gap:1em">{self._small_map()}<table>{"".join(rows)}</table></div>'

    def drawn(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A grid ``(steps, steps, ...)`` as figures have it, from top to bottom and left to right.

        That is the grid itself, or of a plane or triangle alpha to the right and beta upwards.
        """
        return values if self._file.flat is None else values.swapaxes(0, 1)[::-1]

    def _small_map(self) -> str:
        """The predicted classes as SVG without fonts or scripts, a rectangle for each run of equal points."""
        step = -(-self.steps // SMALL_MAP)
        predicted = self.drawn(self.predicted)[::step, ::step]
        colors = _morphscape.class_colors(len(self.classes))
        cell = 240 / len(predicted)
        shapes = []
        for i, row in enumerate(predicted.tolist()):
            ends = [j for j in range(1, len(row)) if row[j] != row[j - 1]]
            for begin, end in zip([0, *ends], [*ends, len(row)]):
                color = colors[row[begin]] if row[begin] >= 0 else "none"
                shapes.append(
                    f'<rect x="{begin * cell:.2f}" y="{i * cell:.2f}" width="{(end - begin) * cell:.2f}" '
                    f'height="{cell:.2f}" fill="{color}"/>'
                )
        for n, label in enumerate(np.unique(predicted[predicted >= 0])[:12].tolist()):
            y = 12 + 20 * n
            shapes.append(f'<rect x="256" y="{y - 10}" width="12" height="12" fill="{colors[label]}"/>')
            shapes.append(f'<text x="274" y="{y}" font-size="12" fill="currentColor">{escape(self.classes[label])}</text>')
        title = escape(self._file.title)
        where = "C to the right, A above" if self._file.flat is None else "A and B from left to right, C above"
        caption = f'<text x="0" y="258" font-size="12" fill="currentColor">{title}: {where}</text>'
        return f'<svg width="420" height="266" viewBox="0 0 420 266" shape-rendering="crispEdges">{"".join(shapes)}{caption}</svg>'
