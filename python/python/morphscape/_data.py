"""Items as a user gives them, and batches of the same kind for a model.

What is given is what the model gets: the same units, layout, container and float type. Inside, images
are grey levels 0..255, ``float32 [n, H, W, C]``, and rows ``float32 [n, features]``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import Any, Literal, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from ._morphscape import InputError

Floats = npt.NDArray[np.float32]
Layout = Literal["auto", "HWC", "CHW"]
Bounds = Optional[tuple[float, float]]
Engine = Literal["auto", "gpu", "cpu"]
AnyPath = Union[str, os.PathLike[str]]

WHITE = 255.0
"""The grey level of white."""


@dataclass(frozen=True)
class View:
    """How items look to the user and to the model."""

    shape: tuple[int, ...]
    """Of one item, as given."""
    layout: Literal["rows", "HW", "HWC", "CHW"]
    bounds: tuple[float, float]
    dtype: Any
    """Of the batches: the items' float type, else float32."""
    container: Literal["numpy", "torch", "pandas", "polars"] = "numpy"
    features: tuple[str, ...] = ()
    device: Any = None
    """Where torch items lie."""
    clips: bool = True
    """Whether no value leaves the bounds: rounding may, by a little."""

    @property
    def is_rows(self) -> bool:
        return self.layout == "rows"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        if self.layout == "CHW":
            channels, height, width = self.shape
            return height, width, channels
        height, width = self.shape[:2]
        return height, width, self.shape[2] if self.layout == "HWC" else 1

    def levels(self, items: npt.NDArray[Any]) -> Floats:
        """Some items as the engine has them; refuses what lies outside the bounds."""
        if self.is_rows:
            rows = np.ascontiguousarray(items, dtype=np.float32)
            _check_finite(rows)
            return rows
        _check_finite(items)
        low, high = self.bounds
        if items.size:
            least, most = float(items.min()), float(items.max())
            if least < low or most > high:
                raise InputError(
                    f"items: expected values within bounds=({low:g}, {high:g}), found {least:g} to {most:g}; "
                    "say what black and white are with bounds=(black, white)"
                )
        if self.layout == "CHW":
            items = items.transpose(0, 2, 3, 1)
        if (low, high) != (0.0, WHITE):
            items = (items.astype(np.float64) - low) * (WHITE / (high - low))
        return np.ascontiguousarray(items, dtype=np.float32).reshape(-1, *self.image_shape)

    def arrays(self, levels: Floats, *, own: bool) -> npt.NDArray[Any]:
        """Levels ``[..., values]`` as the user has them; `own` says that they may be changed."""
        lead = levels.shape[:-1]
        if self.is_rows:
            return levels.astype(self.dtype, copy=False)
        low, high = self.bounds
        if (low, high) != (0.0, WHITE):
            wide = levels.astype(np.result_type(self.dtype, np.float32), copy=not own)
            wide *= (high - low) / WHITE
            wide += low
            levels = np.clip(wide, low, high, out=wide) if self.clips else wide
        frames = levels.astype(self.dtype, copy=False).reshape(*lead, *self.image_shape)
        if self.layout == "HW":
            return frames.reshape(*lead, *self.shape)
        if self.layout == "CHW":
            return np.moveaxis(frames, -1, -3)
        return frames

    def batch(self, levels: Floats) -> Any:
        """A batch ``[n, values]`` for the model, in the container that the items came in."""
        arrays = self.arrays(levels, own=True)
        if self.container == "torch":
            torch = sys.modules["torch"]
            return torch.from_numpy(arrays).to(self.device)
        if self.container == "pandas":
            return sys.modules["pandas"].DataFrame(arrays, columns=list(self.features))
        if self.container == "polars":
            return sys.modules["polars"].DataFrame(arrays, schema=list(self.features))
        return arrays


def _check_finite(values: npt.NDArray[Any]) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        item = int(np.argwhere(~np.isfinite(values))[0][0])
        raise InputError(f"items: expected finite numbers, found NaN or infinity in item {item}")


@dataclass(frozen=True)
class Items:
    """Items of one shape."""

    values: npt.NDArray[Any]
    """``[n, ...]`` as given."""
    view: View

    def __len__(self) -> int:
        return len(self.values)

    def levels(self, at: Sequence[int]) -> Floats:
        """Some of them as the engine has them."""
        return self.view.levels(self.values[np.asarray(at, dtype=np.intp)])


def _is_frame(items: Any) -> Optional[Literal["pandas", "polars"]]:
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(items, pandas.DataFrame):
        return "pandas"
    if polars is not None and isinstance(items, polars.DataFrame):
        return "polars"
    return None


def _numbers(items: Any, what: str = "items") -> npt.NDArray[Any]:
    try:
        array = np.asarray(items)
    except ValueError as error:
        raise InputError(f"{what}: expected an array of numbers, found lists of different lengths ({error})") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what}: expected an array of numbers, found one of dtype {array.dtype}")
    return array


def read_items(items: Any, *, bounds: Bounds, layout: Layout) -> Items:
    """A batch of items: a DataFrame or ``[n, features]`` are rows, the rest are images."""
    if isinstance(items, Items):
        return items
    if layout not in ("auto", "HWC", "CHW"):
        raise InputError(f'layout: expected "auto", "HWC" or "CHW", found {layout!r}')
    container = _is_frame(items)
    if container is not None:
        features = tuple(str(name) for name in items.columns)
        values = _frame_values(items, features)
        return _checked(Items(values, _rows_view(values, container, tuple(items.columns))))
    torch = sys.modules.get("torch")
    device = None
    if torch is not None and isinstance(items, torch.Tensor):
        device = items.device
        items = items.detach().cpu().numpy()
    values = _numbers(items)
    named: Literal["numpy", "torch"] = "numpy" if device is None else "torch"
    if values.ndim == 2:
        view = _rows_view(values, named, tuple(f"x{n}" for n in range(values.shape[1])))
    elif values.ndim in (3, 4):
        shape = values.shape[1:]
        dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float32)
        view = View(shape, _layout(shape, layout), _bounds(values.dtype, bounds), dtype, named)
    else:
        raise InputError(
            "items: expected images (n, height, width), (n, height, width, channels) or (n, channels, height, width), "
            f"or rows (n, features); found an array of shape {values.shape}"
        )
    return _checked(Items(values, replace(view, device=device)))


def _checked(items: Items) -> Items:
    if items.values.size == 0:
        raise InputError(f"items: expected at least one item, found an array of shape {items.values.shape}")
    return items


def _rows_view(values: npt.NDArray[Any], container: Any, features: tuple[Any, ...]) -> View:
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float32)
    return View(values.shape[1:], "rows", (0.0, 0.0), dtype, container, features)


def _frame_values(frame: Any, features: tuple[str, ...]) -> npt.NDArray[Any]:
    values = frame.to_numpy()
    if values.dtype.kind in "fiub":
        return np.asarray(values)
    for name, column in zip(features, (frame[name] for name in frame.columns)):
        kind = np.asarray(column).dtype
        if kind.kind not in "fiub":
            raise TypeError(f'items: expected columns of numbers, found column "{name}" of dtype {kind}')
    return np.asarray(values, dtype=np.float64)


def _layout(shape: tuple[int, ...], layout: Layout) -> Literal["HW", "HWC", "CHW"]:
    if len(shape) == 2:
        return "HW"
    first, last = shape[0] in (1, 3), shape[2] in (1, 3)
    if layout == "auto":
        if first == last:
            found = "both ends" if first else "neither end"
            raise InputError(
                f"items: expected 1 or 3 channels at one end of an item's shape, found {found} of {shape}; "
                'say where they stand with layout="HWC" or layout="CHW"'
            )
        return "HWC" if last else "CHW"
    if not (last if layout == "HWC" else first):
        raise InputError(f"items: expected 1 or 3 channels in layout {layout}, found items of shape {shape}")
    return layout


def _bounds(dtype: np.dtype[Any], bounds: Bounds) -> tuple[float, float]:
    if bounds is not None:
        low, high = (float(bound) for bound in bounds)
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(f"bounds: expected (black, white) with black below white, found ({low:g}, {high:g})")
        return low, high
    if dtype == np.uint8:
        return 0.0, WHITE
    if dtype.kind in "fb":
        return 0.0, 1.0
    raise InputError(f"items: of dtype {dtype} nobody can tell what white is; say it with bounds=(black, white)")


def stacked(items: Sequence[Any], *, bounds: Bounds, layout: Layout) -> Items:
    """Single items together: images, rows ``(features,)`` or ``(1, features)``, frames of one row."""
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        # A row of a DataFrame, as df.iloc[0] gives it.
        items = [item.to_frame().T if isinstance(item, pandas.Series) else item for item in items]
    container = _is_frame(items[0])
    if container is not None:
        for name, item in zip("abc", items):
            if _is_frame(item) != container or len(item) != 1:
                raise InputError(f"{name}: expected a DataFrame of one row like a, found {_described(item)}")
            if list(item.columns) != list(items[0].columns):
                raise InputError(f"{name}: expected the columns of a, {list(items[0].columns)}, found {list(item.columns)}")
        frames = sys.modules[container].concat(list(items))
        return read_items(frames, bounds=bounds, layout=layout)
    torch = sys.modules.get("torch")
    if torch is not None and all(isinstance(item, torch.Tensor) for item in items):
        # A batch of one image is that image.
        arrays = [item.detach()[0] if item.ndim == 4 and len(item) == 1 else item.detach() for item in items]
        _check_alike([tuple(array.shape) for array in arrays])
        together = torch.stack(arrays)
    else:
        arrays = [_numbers(item, name) for name, item in zip("abc", items)]
        arrays = [array[0] if array.ndim == 4 and len(array) == 1 else array for array in arrays]
        _check_alike([array.shape for array in arrays])
        if len({array.dtype for array in arrays}) > 1:
            dtypes = ", ".join(str(array.dtype) for array in arrays)
            raise InputError(f"expected items of one dtype, found {dtypes}")
        together = np.stack(arrays)
    if together.ndim == 3 and together.shape[1] == 1:
        together = together.reshape(len(items), -1)
    if together.ndim == 1:
        raise InputError("a: expected an image or a row of features, found a single number")
    return read_items(together, bounds=bounds, layout=layout)


def _check_alike(shapes: Sequence[tuple[int, ...]]) -> None:
    for name, shape in zip("abc", shapes):
        if shape != shapes[0]:
            raise InputError(f"{name}: expected an item of shape {shapes[0]} as a is, found {shape}")


def _described(item: Any) -> str:
    return f"{type(item).__name__} of {len(item)} rows" if hasattr(item, "__len__") else type(item).__name__
