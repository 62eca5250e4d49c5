"""Morphscape: what a trained classifier answers between its data points.

>>> import morphscape as ms
>>> images, labels = ms.fashion_mnist()
>>> one = ms.landscape(None, images[9], images[2], images[1], steps=5)
>>> one.probabilities.shape
(5, 5, 10)

``None`` is the bundled model; a path, an estimator, a module of a framework or any function of a batch can take its
place. docs/python.md explains the rest.
"""

from ._atlas import Atlas, atlas
from ._class_map import ClassMap
from ._compare import Comparison, compare
from ._compare_models import Models, Shortfall, models
from ._files import fashion_mnist, measures, open, read_landscape
from ._landscape import Landscape
from ._landscapes import landscape, landscapes, morph, sweep
from ._line import Line, line
from ._lines import Lines, lines
from ._lists import LandscapeList, Run
from ._models import Model
from ._morphscape import EngineError, InputError, ModelError, __version__, engine_name
from ._walk import Walk, walk

__all__ = [
    "Atlas",
    "ClassMap",
    "Comparison",
    "EngineError",
    "InputError",
    "Landscape",
    "LandscapeList",
    "Line",
    "Lines",
    "Model",
    "ModelError",
    "Models",
    "Run",
    "Shortfall",
    "Walk",
    "__version__",
    "atlas",
    "compare",
    "engine_name",
    "fashion_mnist",
    "landscape",
    "landscapes",
    "line",
    "lines",
    "measures",
    "models",
    "morph",
    "open",
    "read_landscape",
    "sweep",
    "walk",
]

