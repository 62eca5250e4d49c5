"""What is there already: runs and landscapes in files, bundled data, what measures mean."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._atlas import open_atlas
from ._compare_models import open_models
from ._data import AnyPath
from ._landscape import Given, Landscape
from ._lines import lines_of
from ._lists import Run


def open(path: AnyPath) -> Any:  # noqa: A001 - as numpy's and PIL's
    """Opens the folder of a finished run, whatever made it.

    A :class:`Run` of landscapes; :class:`Lines` of ``lines``; :class:`Models` of ``models`` that keeps landscapes;
    :class:`Atlas` of ``atlas``.
    """
    place = os.fspath(path)
    if (Path(place) / "plan.json").exists():
        return open_atlas(Path(place))
    folder = _morphscape.RunFolder.open(place)
    job = json.loads(folder.manifest())["plan"].get("job")
    if job == "lines":
        return lines_of(_morphscape.read_lines(place), None, (), Path(place))
    if job == "models":
        return open_models(place)
    return Run(folder)


def read_landscape(path: AnyPath) -> Landscape:
    """A landscape from its ``.safetensors`` file."""
    place = os.fspath(path)
    return Landscape(_morphscape.LandscapeFile.read(place), Given(path=place))


def measures() -> dict[str, str]:
    """What each measure is, by its key."""
    return {key: text for key, _, text in _morphscape.columns()}


def fashion_mnist() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The test set of Fashion-MNIST that comes with the package: images ``(10000, 28, 28)`` and labels."""
    return _morphscape.fashion_mnist()
