"""Landscapes drawn with matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._morphscape import InputError, class_colors

if TYPE_CHECKING:
    from ._objects import Landscape

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
        a, b, c = self.landscape.item_labels
        ax.set_title(f"{self.landscape.name}: {a} and {b} into {c}")

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

        predicted = self.landscape.predicted
        colors = ListedColormap(class_colors(len(self.landscape.classes)))
        # Points are pixel centres: the axes run from 0 to 1 between the first and the last.
        half = 0.5 / (self.landscape.steps - 1)
        ax.imshow(
            np.ma.masked_less(predicted, 0),
            cmap=colors,
            vmin=-0.5,
            vmax=len(self.landscape.classes) - 0.5,
            extent=(-half, 1 + half, 1 + half, -half),
            interpolation="nearest",
        )
        ax.set_xlabel("into C")
        ax.set_ylabel("mix of A and B")
        self._title(ax)
        self._legend(ax, np.unique(predicted[predicted >= 0]))

    def _line(self, ax: Any) -> None:
        """Mean probability over the rows, along the way into C, and between which values it lies."""
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
        probabilities = self.landscape.probabilities
        side = np.linspace(0, 1, self.landscape.steps)
        into, mix = np.meshgrid(side, side)
        labels = list(dict.fromkeys(self.landscape.classes.index(name) for name in self.landscape.item_labels))
        for n in labels:
            ax.plot_surface(into, mix, probabilities[..., n], color=self._color(n), alpha=0.7)
        ax.set(xlabel="into C", ylabel="mix of A and B", zlabel="probability", zlim=(0, 1))
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
