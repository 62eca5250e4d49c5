from typing import Any, Callable, final

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float32]
_Grid = tuple[str, int, tuple[int, int, int], tuple[int, int, int]]
_Progress = Callable[[int], None] | None
_MapParts = tuple[str, npt.NDArray[np.float64], npt.NDArray[np.uint16]]
_Cut = tuple[str, str, int | None, list[str], list[str], list[str]]

__version__: str
__all__ = [
    "InputError",
    "ModelError",
    "EngineError",
    "Network",
    "LandscapeFile",
    "RunFolder",
    "ComparedModels",
    "columns",
    "class_colors",
    "command_line",
    "engine_messages",
    "engine_name",
    "choose",
    "image_grids",
    "row_grids",
    "flat_grids",
    "morph_frames",
    "landscape_from_bytes",
    "line_intervals",
    "lines",
    "draw_pairs",
    "read_lines",
    "models",
    "place_has_rows",
    "fashion_mnist",
    "compare_modes",
    "walk",
    "write_report",
    "run_sweep",
    "atlas_plan",
    "atlas_missing",
    "atlas_run",
    "atlas_finish",
    "__version__",
]

class InputError(ValueError): ...
class ModelError(ValueError): ...
class EngineError(RuntimeError): ...

@final
class Network:
    @staticmethod
    def read(
        path: str | None,
        *,
        scale: float | None,
        mean: list[float],
        std: list[float],
        class_names: list[str] | None,
    ) -> Network: ...
    @staticmethod
    def callable(
        call: Callable[[_Floats], _Floats],
        *,
        num_classes: int,
        probabilities: bool,
        batch_size: int,
        class_names: list[str] | None,
        name: str,
        identity: str,
    ) -> Network: ...
    def fitted(self, shape: tuple[int, int, int]) -> tuple[Network, str | None]: ...
    def answers(self, inputs: _Floats, engine: str) -> tuple[_Floats, _Floats]: ...
    @property
    def num_classes(self) -> int: ...
    @property
    def class_names(self) -> list[str] | None: ...
    @property
    def input_shape(self) -> list[int] | None: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def path(self) -> str: ...

@final
class LandscapeFile:
    @staticmethod
    def read(path: str) -> LandscapeFile: ...
    def save(self, path: str) -> None: ...
    def __reduce__(self) -> tuple[Callable[..., LandscapeFile], tuple[bytes, _MapParts | None]]: ...
    def class_map(self) -> _MapParts | None: ...
    def map_row(self) -> str | None: ...
    def logits(self) -> _Floats: ...
    def probabilities(self) -> _Floats: ...
    def predicted(self) -> npt.NDArray[np.int32]: ...
    def inputs(self) -> _Floats | None: ...
    def measures(self) -> dict[str, float | None]: ...
    def row(self) -> dict[str, Any]: ...
    def svg(self, kind: str) -> str: ...
    def plotly(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def flat(self) -> tuple[list[list[float]], list[list[float]], str] | None: ...
    @property
    def item_names(self) -> list[str]: ...
    @property
    def item_classes(self) -> list[int]: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def model(self) -> str: ...
    @property
    def image_shape(self) -> tuple[int, int, int] | None: ...
    @property
    def features(self) -> list[str] | None: ...
    @property
    def settings(self) -> str: ...
    @property
    def intruders(self) -> list[int]: ...

@final
class RunFolder:
    @staticmethod
    def open(path: str) -> RunFolder: ...
    def names(self) -> list[str]: ...
    def landscape(self, name: str) -> LandscapeFile: ...
    def rows(self) -> list[dict[str, Any]]: ...
    def report(self) -> str: ...
    def manifest(self) -> str: ...
    @property
    def path(self) -> str: ...

@final
class ComparedModels:
    @staticmethod
    def open(path: str) -> ComparedModels: ...
    def predicted(self) -> npt.NDArray[np.int32]: ...
    def tables(self) -> dict[str, list[dict[str, Any]]]: ...
    def shortfalls(
        self, min_agreement: float, per_class: bool
    ) -> list[tuple[tuple[str, str], str | None, float]]: ...
    def svg(self, kind: str) -> str: ...
    def page(self) -> str: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def landscapes(self) -> list[str]: ...
    @property
    def grid(self) -> tuple[int, str]: ...

def landscape_from_bytes(content: bytes, map: _MapParts | None) -> LandscapeFile: ...
def columns() -> list[tuple[str, str, str]]: ...
def class_colors(classes: int) -> list[str]: ...
def command_line(words: list[str]) -> int: ...
def engine_messages() -> list[str]: ...
def engine_name(choice: str) -> str: ...
def choose(
    labels: list[int],
    *,
    num_classes: int,
    groups: int,
    classes: list[tuple[int, int, int]],
    seed: int,
    rows: bool,
    kind: str,
) -> list[_Grid]: ...
def image_grids(
    network: Network,
    levels: _Floats,
    grids: list[_Grid],
    *,
    item_names: list[str],
    class_names: list[str],
    settings: str,
    keep_frames: bool,
    engine: str,
    progress: _Progress,
) -> list[LandscapeFile]: ...
def row_grids(
    network: Network,
    rows: _Floats,
    grids: list[_Grid],
    *,
    item_names: list[str],
    class_names: list[str],
    features: list[str],
    steps: int,
    engine: str,
    progress: _Progress,
) -> list[LandscapeFile]: ...
def flat_grids(
    network: Network,
    items: _Floats,
    grids: list[_Grid],
    *,
    item_names: list[str],
    class_names: list[str],
    image_shape: tuple[int, int, int] | None,
    features: list[str],
    settings: str,
    keep_frames: bool,
    engine: str,
    progress: _Progress,
) -> list[LandscapeFile]: ...
def morph_frames(
    left: _Floats,
    right: _Floats,
    alphas: list[float],
    *,
    settings: str,
    engine: str,
) -> _Floats: ...
def line_intervals(
    network: Network,
    inputs: _Floats,
    *,
    class_names: list[str],
    rows: bool,
    steps: int,
    exact: bool,
    engine: str,
) -> tuple[str, list[tuple[float, float, int]]]: ...
def fashion_mnist() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]: ...
def compare_modes(
    network: Network,
    data: Any,
    *,
    groups: int | None,
    classes: list[str],
    seed: int,
    steps: int,
    grid: int,
    out: str | None,
    force: bool,
    engine: str,
    progress: _Progress,
) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]], str, list[str]]: ...
def walk(
    job: str,
    landscape: LandscapeFile | None,
    *,
    out: str | None,
    force: bool,
    report: bool,
    engine: str,
    progress: _Progress,
) -> dict[str, Any]: ...
def place_has_rows(place: str) -> bool: ...
def lines(
    network: Network,
    data: Any,
    *,
    pairs: list[tuple[int, int]] | None,
    count: int,
    directions: int,
    seed: int,
    steps: int,
    exact: bool,
    max_pieces: int,
    connect: bool,
    out: str | None,
    force: bool,
    engine: str,
    progress: _Progress,
) -> _Cut: ...
def draw_pairs(items: int, count: int, directions: int, seed: int) -> list[tuple[int, int]]: ...
def read_lines(path: str) -> _Cut: ...
def models(
    networks: list[Network],
    names: list[str] | None,
    data: Any,
    *,
    groups: int | None,
    classes: list[str],
    seed: int,
    settings: str,
    by_name: bool,
    series: bool,
    margins: bool,
    baseline: str | None,
    out: str | None,
    force: bool,
    tensors: bool,
    report: bool,
    engine: str,
    progress: _Progress,
) -> tuple[ComparedModels, list[str]]: ...
def write_report(path: str, landscapes: list[LandscapeFile]) -> None: ...
def run_sweep(
    network: Network,
    data: Any,
    *,
    groups: int | None,
    classes: list[str],
    seed: int,
    settings: str,
    out: str,
    force: bool,
    keep_frames: bool,
    report: bool,
    engine: str,
    progress: _Progress,
) -> list[str]: ...
def atlas_plan(
    network: Network,
    data: Any,
    *,
    design: str,
    settings: str,
    shards: int | None,
    out: str,
    engine: str,
    progress: _Progress,
) -> tuple[int, list[str]]: ...
def atlas_missing(folder: str) -> tuple[list[int], list[tuple[int, str]]]: ...
def atlas_run(
    folder: str,
    shards: list[int],
    *,
    network: Network | None,
    data: Any,
    engine: str,
    progress: _Progress,
) -> int: ...
def atlas_finish(
    folder: str,
    *,
    network: Network | None,
    data: Any,
    second: str | None,
    shown: int,
    allow_missing: bool,
    engine: str,
    progress: _Progress,
) -> tuple[str, list[str]]: ...
