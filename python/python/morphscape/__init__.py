"""Morphscape: what a trained classifier answers between its data points.

>>> import morphscape as ms
>>> images, labels = ms.fashion_mnist()
>>> one = ms.landscape(None, images[9], images[2], images[1], steps=5)
>>> one.probabilities.shape
(5, 5, 10)

``None`` is the bundled model; a path, an estimator, a module of a framework or any function of a batch takes its
place. docs/python.md explains the rest.
"""

from ._calls import fashion_mnist, landscape, landscapes, line, measures, morph, open, read_landscape, sweep
from ._models import Model
from ._morphscape import EngineError, InputError, ModelError, __version__, engine_name
from ._objects import Landscape, LandscapeList, Line, Run

__all__ = [
    "EngineError",
    "InputError",
    "Landscape",
    "LandscapeList",
    "Line",
    "Model",
    "ModelError",
    "Run",
    "__version__",
    "engine_name",
    "fashion_mnist",
    "landscape",
    "landscapes",
    "line",
    "measures",
    "morph",
    "open",
    "read_landscape",
    "sweep",
]
