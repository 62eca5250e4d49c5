"""What calls that compute landscapes have in common: one list of options, for types, defaults and docs."""

from __future__ import annotations

import functools
import inspect
import json
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, TypedDict, TypeVar, Union, cast

import numpy as np

from ._data import Bounds, Engine, Layout
from ._morphscape import InputError

Kind = Literal["morph", "plane", "triangle"]
Mode = Literal["morph", "cross-fade", "published"]
Sampling = Literal["cubic", "linear"]
Box = Union[tuple[float, float], tuple[tuple[float, float], tuple[float, float]]]
Call = TypeVar("Call", bound=Callable[..., Any])

if TYPE_CHECKING:
    from typing_extensions import Unpack as Unpack


class GridOptions(TypedDict, total=False):
    """How the grids of several models are laid."""

    kind: Kind
    steps: Optional[int]
    range: Box
    clipped: bool
    exact: bool
    grid: int
    mode: Mode
    sampling: Sampling
    bounds: Bounds
    layout: Layout
    engine: Engine
    show_progress: Optional[bool]


class LandscapeOptions(GridOptions, total=False):
    """How landscapes are computed."""

    keep_frames: bool


RANGE = (0.1, 0.1)
DEFAULTS: LandscapeOptions = {
    "kind": "morph", "steps": None, "range": RANGE, "clipped": False, "exact": True, "grid": 3, "mode": "morph",
    "sampling": "cubic", "keep_frames": False, "bounds": None, "layout": "auto", "engine": "auto", "show_progress": None,
}  # fmt: skip
DOCS = {
    "kind": """{"morph", "plane", "triangle"}
    What lies between the items: mixes of A and B led into C; the plane through the three, alpha along A to B
    and beta at right angles to it; or all mixtures of the three.""",
    "steps": "int\n    Points a side: 21, but 11 for rows that are mixed and 51 for planes and triangles.",
    "range": """(below, above) or ((left, right), (below, above))
    How much wider than its items the box of a plane is, as shares of each side, or of the sides along alpha and
    along beta; numbers below 0 make it narrower.""",
    "clipped": """bool
    Whether the values of a plane's points are clipped to the items' bounds; otherwise they may leave them.""",
    "exact": "bool\n    Whether planes and triangles get an exact class map where the model allows it.",
    "grid": "int\n    Feature cells a side of an image.",
    "mode": """{"morph", "cross-fade", "published"}
    How images are mixed; ``"published"`` as the paper's tool does.""",
    "sampling": '{"cubic", "linear"}\n    How a morph samples its images.',
    "keep_frames": "bool\n    Whether ``frames`` holds the images in between. Rows are always kept.",
    "bounds": "(black, white), optional\n    By default (0, 255) for uint8 and (0, 1) for floats.",
    "layout": '{"auto", "HWC", "CHW"}\n    Which axis holds the channels, if both ends could.',
    "engine": '{"auto", "gpu", "cpu"}\n    What computes.',
    "show_progress": """bool, optional
    A bar of tqdm; by default when the call takes longer than two seconds.""",
}


def takes(options: type[Any]) -> Callable[[Call], Call]:
    """A call whose ``**options`` are these: its signature and its docs list them, and others are refused."""
    names = [name for name in DEFAULTS if name in options.__annotations__]
    hints = LandscapeOptions.__annotations__

    def decorate(call: Call) -> Call:
        own = [each for each in inspect.signature(call).parameters.values() if each.kind is not each.VAR_KEYWORD]
        known = {each.name for each in own}.union(names)

        @functools.wraps(call)
        def checked(*items: Any, **given: Any) -> Any:
            for name in given:
                if name not in known:
                    raise TypeError(f"{call.__name__}() got an unexpected keyword argument {name!r}")
            return call(*items, **given)

        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS.get(name), annotation=_shown(hints[name]))
            for name in names
        ]
        signature = inspect.signature(call).replace(parameters=[*own, *more])
        checked.__signature__ = signature  # type: ignore[attr-defined]
        if call.__doc__ is not None:
            listed = "\n".join(f"{name} : {DOCS[name]}" for name in names).replace("\n", "\n    ")
            checked.__doc__ = call.__doc__.replace("{options}", listed)
        return cast(Call, checked)

    return decorate


def _shown(hint: Any) -> Any:
    """A type as it is written in this file."""
    return getattr(hint, "__forward_arg__", hint)


def checked(given: GridOptions, is_rows: bool) -> LandscapeOptions:
    """All options, of images or rows, with a number of points."""
    how = cast(LandscapeOptions, {**DEFAULTS, **given})
    kind, mode, sampling, box = how["kind"], how["mode"], how["sampling"], how["range"]
    for name, value, words in (
        ("kind", kind, ("morph", "plane", "triangle")),
        ("mode", mode, ("morph", "cross-fade", "published")),
        ("sampling", sampling, ("cubic", "linear")),
    ):
        if value not in words:
            raise InputError(f"{name}: expected one of {', '.join(words)}, found {value!r}")
    steps = how["steps"] if how["steps"] is not None else _steps(kind, is_rows)
    if not 2 <= steps <= 1001:
        raise InputError(f"steps: expected 2 to 1001 points a side, found {steps}")
    if (mode, sampling) != ("morph", "cubic"):
        if is_rows:
            raise InputError("mode: rows are mixed, not morphed; leave mode and sampling out")
        if kind != "morph":
            raise InputError(f"mode: a {kind} is not morphed; leave mode and sampling out")
        if mode != "morph" and sampling != "cubic":
            raise InputError(f'sampling: mode "{mode}" has one way to sample; leave sampling out')
    if kind != "plane" and tuple(box) != RANGE:
        raise InputError("range: only a plane has a box around its items; leave range out")
    if how["clipped"] and (kind != "plane" or is_rows):
        raise InputError("clipped: only the points of a plane of images can leave their range; leave clipped out")
    if np.shape(box) not in ((2,), (2, 2)):
        raise InputError(f"range: expected two shares of the box's sides, or a pair of them for each, found {box}")
    if kind == "morph" and not how["exact"]:
        raise InputError("exact: only planes and triangles have a class map; leave exact out")
    return {**how, "steps": int(steps)}


def _steps(kind: Kind, is_rows: bool) -> int:
    if kind != "morph":
        return 51
    return 11 if is_rows else 21


def points(how: LandscapeOptions) -> int:
    """Of a landscape."""
    steps = how["steps"]
    assert steps is not None
    return steps * (steps + 1) // 2 if how["kind"] == "triangle" else steps**2


def settings(how: LandscapeOptions) -> str:
    """The same as the plan of a job has it, in JSON."""
    mode = how["mode"]
    morph: dict[str, Any] = {"steps": how["steps"], "grid": how["grid"], "mode": "clean" if mode == "morph" else mode}
    if mode == "morph":
        morph["sampling"] = how["sampling"]
    flat = None
    if how["kind"] != "morph":
        flat = {
            "kind": how["kind"], "range": np.asarray(how["range"], dtype=np.float64).tolist(), "clipped": how["clipped"],
            "exact": "auto" if how["exact"] else "off",
        }  # fmt: skip
    return json.dumps({"morph": morph, "flat": flat})
