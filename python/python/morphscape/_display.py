"""Landscapes drawn with matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._morphscape import InputError, class_colors

if TYPE_CHECKING:
    from ._landscape import Landscape

KINDS = ("map", "line", "surface", "ternary")


class LandscapeDisplay:
    """A landscape and the axes that it was drawn into: ``ax_`` and ``figure_``."""

    ax_: Any
    figure_: Any

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape

    def plot(self, kind: str = "map", ax: Any = None) -> LandscapeDisplay:
        """Draws into ``ax``, or into a new figure."""
        if kind not in KINDS:
            raise InputError(f'kind: expected one of {", ".join(KINDS)}, found "{kind}"; svg(kind) has more figures')
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise ImportError("plot() draws with matplotlib, which is not installed: pip install matplotlib") from None
        if ax is None:
            _, ax = plt.subplots(subplot_kw={"projection": "3d"} if kind == "surface" else None)
        getattr(self, f"_{kind}")(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _title(self, ax: Any) -> None:
        ax.set_title(f"{self.landscape.name}: {self.landscape._file.title}")

    def _color(self, label: int) -> str:
        return class_colors(len(self.landscape.classes))[label]

    def _legend(self, ax: Any, labels: Any) -> None:
        from matplotlib.patches import Patch

        names = self.landscape.classes
        ax.legend(
            handles=[Patch(color=self._color(int(n)), label=names[int(n)]) for n in labels],
            loc="center left",
            bbox_to_anchor=(1.02, 0.5),
            frameon=False,
        )

    def _map(self, ax: Any) -> None:
        from matplotlib.colors import ListedColormap

        landscape = self.landscape
        colors = ListedColormap(class_colors(len(landscape.classes)))
        (left, right), (low, high) = self._axes()
        ax.imshow(
            np.ma.masked_less(landscape.drawn(landscape.predicted), 0),
            cmap=colors,
            vmin=-0.5,
            vmax=len(landscape.classes) - 0.5,
            # Points are pixel centres: the axes run to half a point beyond the first and the last.
            extent=(*_wider(left, right, landscape.steps), *_wider(high, low, landscape.steps)),
            interpolation="nearest",
        )
        self._label_axes(ax)
        self._boundary(ax)
        if landscape.kind == "plane" and landscape.anchors is not None:
            for name, (x, y) in zip("ABC", landscape.anchors):
                ax.plot(x, y, "o", color="white", markeredgecolor="black")
                ax.annotate(name, (x, y), textcoords="offset points", xytext=(6, 6))
        self._title(ax)
        self._legend(ax, np.unique(landscape.predicted[landscape.predicted >= 0]))

    def _boundary(self, ax: Any) -> None:
        """The boundary between classes, where it is known, over the points, and a ring around parts without one."""
        found = self.landscape.class_map
        if found is None or not len(found.boundary):
            return
        from matplotlib.collections import LineCollection

        segments = LineCollection(list(self._places(found.boundary)), colors="black", linewidths=1.0)
        ax.add_collection(segments, autolim=False)
        missed = self._places(found.missed_places)
        ax.plot(missed[:, 0], missed[:, 1], "o", markersize=12, fillstyle="none", color="black")
        ax.text(0, -0.16, found.sentence, transform=ax.transAxes, fontsize="small", verticalalignment="top", wrap=True)

    def _places(self, places: Any) -> Any:
        """Places ``(..., 2)`` of a plane, alpha and beta, as they are drawn."""
        if self.landscape.kind == "plane":
            return places
        # A triangle is drawn by the shares of B and C.
        anchors = self.landscape.anchors
        assert anchors is not None
        a, b, c = anchors
        return (places - a) @ np.linalg.inv(np.stack([b - a, c - a]))

    def _axes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """From left to right, and from top to bottom."""
        axes = self.landscape.axes
        if axes is not None:
            alpha, beta = axes
            return (alpha[0], alpha[-1]), (beta[-1], beta[0])
        return (0, 1), ((1, 0) if self.landscape.kind == "triangle" else (0, 1))

    def _label_axes(self, ax: Any) -> None:
        kind = self.landscape.kind
        if kind == "plane":
            ax.set(xlabel=f"alpha, from A to B ({self.landscape.unit})", ylabel="beta, towards C")
        elif kind == "triangle":
            ax.set(xlabel="share of B", ylabel="share of C")
        else:
            ax.set(xlabel="into C", ylabel="mix of A and B")

    def _line(self, ax: Any) -> None:
        """Mean probability over the rows, along the way into C, and between which values it lies."""
        if self.landscape.kind in ("plane", "triangle"):
            raise InputError(f'kind: a {self.landscape.kind} has no rows that lead from item to item; try "map"')
        probabilities = self.landscape.probabilities
        along = np.linspace(0, 1, self.landscape.steps)
        shown = [n for n in range(probabilities.shape[2]) if np.nanmax(probabilities[..., n]) >= 0.05]
        for n in shown:
            values = probabilities[..., n]
            ax.plot(along, np.nanmean(values, axis=0), color=self._color(n), label=self.landscape.classes[n])
            ax.fill_between(along, np.nanmin(values, axis=0), np.nanmax(values, axis=0), color=self._color(n), alpha=0.15)
        ax.set(xlabel="into C", ylabel="probability: mean and range of the mixes", ylim=(-0.02, 1.02))
        self._title(ax)
        self._legend(ax, shown)

    def _surface(self, ax: Any) -> None:
        probabilities = self.landscape.drawn(self.landscape.probabilities)
        (left, right), (first, last) = self._axes()
        steps = self.landscape.steps
        across, down = np.meshgrid(np.linspace(left, right, steps), np.linspace(first, last, steps))
        labels = list(dict.fromkeys(self.landscape.classes.index(name) for name in self.landscape.item_labels))
        for n in labels:
            ax.plot_surface(across, down, probabilities[..., n], color=self._color(n), alpha=0.7)
        self._label_axes(ax)
        ax.set(zlabel="probability", zlim=(0, 1))
        self._title(ax)
        self._legend(ax, labels)

    def _ternary(self, ax: Any) -> None:
        """Points in the probabilities of the three items' classes, which are the corners."""
        names = self.landscape.item_labels
        labels = [self.landscape.classes.index(name) for name in names]
        three = self.landscape.probabilities[..., labels].reshape(-1, 3)
        total = three.sum(axis=1)
        predicted = self.landscape.predicted.ravel()
        # A point without a share in any of the three classes stands nowhere between them.
        shown = np.nan_to_num(total) > 1e-3
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
        at = (three[shown] / total[shown, None]) @ corners
        ax.plot(*np.vstack([corners, corners[:1]]).T, color="0.6", linewidth=1)
        ax.scatter(*at.T, c=[self._color(int(n)) for n in predicted[shown]], s=12)
        for name, (x, y) in zip(names, corners):
            ax.annotate(name, (x, y), textcoords="offset points", xytext=(0, 8 if y else -14), ha="center")
        ax.set_aspect("equal")
        ax.set_axis_off()
        self._title(ax)
        self._legend(ax, np.unique(predicted[shown]))


def _wider(first: float, last: float, steps: int) -> tuple[float, float]:
    """An axis to half a point beyond its ends."""
    half = (last - first) / (steps - 1) / 2
    return first - half, last + half
