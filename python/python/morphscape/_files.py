"""What is there already: runs and landscapes in files, bundled data, what measures mean."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from . import _morphscape
from ._data import AnyPath
from ._landscape import Landscape
from ._lists import Run, open_run


def open(path: AnyPath) -> Run:  # noqa: A001 - as numpy's and PIL's
    """A finished run in a folder, whoever made it."""
    return open_run(os.fspath(path))


def read_landscape(path: AnyPath) -> Landscape:
    """A landscape from its ``.safetensors`` file."""
    return Landscape(_morphscape.LandscapeFile.read(os.fspath(path)))


def measures() -> dict[str, str]:
    """What each measure is, by its key."""
    return {key: text for key, _, text in _morphscape.columns()}


def fashion_mnist() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The test set of Fashion-MNIST that comes with the package: images ``(10000, 28, 28)`` and labels."""
    return _morphscape.fashion_mnist()
