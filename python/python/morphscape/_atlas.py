"""Atlases: every triple of a data set, surveyed, searched and summed up, here or on a client's workers."""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Sequence

from . import _morphscape
from ._data import AnyPath, Engine
from ._jobs import JobOf, job_of
from ._lists import frame_of
from ._models import as_model
from ._morphscape import InputError
from ._options import GridOptions, checked, settings, takes
from ._say import Progress, warn

if TYPE_CHECKING:
    from ._options import Unpack

RETRIES = 2
"""How often a shard is tried again on a client's workers."""


class Atlas:
    """The results of an atlas, in its folder.

    ``summary`` is ``summary.json`` as a dict, ``findings`` the sentences in it.
    """

    def __init__(self, path: Path, notes: tuple[str, ...] = ()) -> None:
        self.path = path
        self.notes = notes
        self.summary: dict[str, Any] = json.loads((path / "summary.json").read_text(encoding="utf-8"))

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings, in sentences."""
        return tuple(self.summary["findings"])

    @property
    def report(self) -> Path:
        """Where the report is."""
        return self.path / "report.html"

    def pairs(self) -> Any:
        """Means for each pair of classes, as a DataFrame."""
        return frame_of([_flat(row) for row in self.summary["pairs"]])

    def class_triples(self) -> Any:
        """Means for each triple of classes, as a DataFrame."""
        return frame_of([_flat(row) for row in self.summary["class_triples"]])

    def ranking(self) -> Any:
        """The worst triples, as a DataFrame of pandas; needs pandas and pyarrow."""
        import pandas

        return pandas.read_parquet(self.path / "ranking.parquet")

    def rows(self, steps: int) -> Any:
        """The rows of the grids with this many points a side, as a DataFrame of pandas; needs pandas and pyarrow."""
        import pandas

        return pandas.read_parquet(self.path / f"rung={steps:02}")

    def __repr__(self) -> str:
        return f"<Atlas: {self.summary['searched']} triples searched, in {self.path}>"


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    low, high = row["interval"] or (None, None)
    plain = {key: value for key, value in row.items() if key not in ("classes", "interval")}
    return {"classes": ", ".join(row["classes"]), **plain, "low": low, "high": high}


@takes(GridOptions)
def atlas(
    model: Any,
    items: Any = "fashion-mnist",
    labels: Any = None,
    *,
    out: AnyPath,
    score: str = "confident_intrusion",
    search: int = 100_000,
    survey: int = 12_000,
    per_class: Optional[int] = None,
    any_items: bool = False,
    rungs: Sequence[int] = (6, 11, 21, 41),
    keep: Sequence[float] = (0.1, 0.05, 0.01),
    audit: float = 0.01,
    top: int = 100,
    seed: int = 1,
    shards: Optional[int] = None,
    second: Optional[AnyPath] = None,
    shown: int = 12,
    client: Any = None,
    **options: Unpack[GridOptions],
) -> Atlas:
    """Surveys the triples of a data set and searches for the worst.

    If the folder holds part of the same atlas, it is resumed.

    Parameters
    ----------
    model : path, None, callable, or "module:function"
        As for :func:`sweep`. ``"module:function"`` names a function without arguments that returns the model. Each
        worker of a ``client`` calls it once, since a live network cannot be sent to it.
    items, labels
        As for :func:`sweep`; a place has labels of its own. ``"module:function"`` names a function that returns
        ``(items, labels)``.
    out : path
        The folder of the atlas.
    score : {{"confident_intrusion", "flip", "intrusion", "barrier", "total_variation"}}
        The score that triples are searched and ranked by.
    search, survey : int
        How many triples to search at most, and how many to survey.
    per_class : int, optional
        Most items to take of a class, drawn at random.
    any_items : bool
        Whether items that the model classifies wrongly take part.
    rungs, keep, audit
        Points a side of the grids of the search, shares of the triples that move on to the finer ones, and the share
        of the others that move on by lot.
    top, shown : int
        How long the list of the worst is, and how many of them are drawn.
    shards : int, optional
        Parts that the search is cut into.
    second : path, optional
        Another model, with which the survey and the worst triples are computed as well.
    client : optional
        A client of Dask, or anything else with ``submit(function, *arguments)`` that returns futures: its workers
        compute the shards. They need the same files at the same paths.
    {options}
    """
    place = os.path.abspath(os.fspath(out))
    asked: Any = {key: value for key, value in options.items() if key != "steps"}
    how: Any = checked(asked, False)
    if options.get("steps") is not None:
        raise InputError("steps: an atlas has several grids; give rungs")
    engine = how["engine"]
    factory = model if _names_factory(model) else None
    source = items if _names_factory(items) else None
    if client is not None and factory is None and not (model is None or isinstance(model, (str, os.PathLike))):
        raise InputError(
            'model: workers of a client cannot be given a live network; expected a path or "module:function", which '
            f"they call, found {type(model).__name__}"
        )
    job = _job(model, items, labels, how)
    design = {
        "score": score, "search": search, "survey": survey, "per_class": per_class, "any_items": any_items,
        "rungs": list(rungs), "keep": list(keep), "audit": audit, "top": top, "seed": seed,
    }  # fmt: skip
    with Progress(None, how["show_progress"]) as progress:
        _, notes = _morphscape.atlas_plan(
            job.network, job.data, design=json.dumps(design), settings=settings(how), shards=shards, out=place,
            engine=engine, progress=progress,
        )  # fmt: skip
    missing, failed = _morphscape.atlas_missing(place)
    for shard, error in failed:
        warn(f"shard {shard} failed twice alike and is left alone: {error}", RuntimeWarning)
    if client is None:
        with Progress(None, how["show_progress"]) as progress:
            _morphscape.atlas_run(
                place, missing, network=job.network, data=job.data, engine=engine, progress=progress
            )
    else:
        model = factory or (None if model is None else os.path.abspath(os.fspath(model)))
        # A place is read as the plan names it.
        sent = (model, source or items, labels)
        _run_on(client, place, missing, sent, how)
    with Progress(None, how["show_progress"]) as progress:
        _, more = _morphscape.atlas_finish(
            place, network=job.network, data=job.data, second=None if second is None else os.fspath(second),
            shown=shown, allow_missing=False, engine=engine, progress=progress,
        )  # fmt: skip
    return Atlas(Path(place), tuple(dict.fromkeys((*job.notes, *notes, *more))))


def open_atlas(path: Path) -> Atlas:
    """A finished atlas."""
    if not (path / "summary.json").exists():
        raise InputError(f"{path}: expected a finished atlas, found one that was not summed up: morphscape atlas finish {path}")
    return Atlas(path)


def _names_factory(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", value) is not None


def _made(name: str) -> Any:
    module, function = name.split(":")
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{name}: expected a function of a module that can be imported; {error}") from error
    return make()


def _job(model: Any, items: Any, labels: Any, how: Any) -> JobOf:
    """Model and items as the engine takes them."""
    if _names_factory(model):
        model = _made(model)
    if _names_factory(items):
        items, labels = _made(items)
    return job_of(
        as_model(model), items, labels, (), bounds=how["bounds"], layout=how["layout"], engine=how["engine"]
    )


@functools.lru_cache(maxsize=2)
def _job_of_names(model: Optional[str], items: str, how: str) -> JobOf:
    """The same, once a process, of what has a name."""
    return _job(model, items, None, json.loads(how))


def _shard(place: str, shard: int, sent: tuple[Any, Any, Any], how: dict[str, Any]) -> tuple[int, int]:
    """Computes a shard on a worker; gives it and its landscapes, no data."""
    model, items, labels = sent
    if isinstance(items, str) and labels is None:
        job = _job_of_names(model, items, json.dumps(how))
    else:
        job = _job(model, items, labels, how)
    rows = _morphscape.atlas_run(
        place, [shard], network=job.network, data=job.data, engine=how["engine"], progress=None
    )
    return shard, rows


def _run_on(client: Any, place: str, missing: Sequence[int], sent: tuple[Any, Any, Any], how: dict[str, Any]) -> None:
    """Has a client's workers compute the missing shards."""
    plain = {key: how[key] for key in ("bounds", "layout", "engine")}
    # Dask would take a shard that it has computed once for done, whatever became of the file.
    dask = type(client).__module__.split(".")[0] == "distributed"
    more = {"pure": False, "retries": RETRIES} if dask else {}
    futures = [client.submit(_shard, place, shard, sent, plain, **more) for shard in missing]
    with Progress(len(futures), how["show_progress"], "shard") as progress:
        for done, future in enumerate(futures, 1):
            future.result()
            if progress is not None:
                progress(done)
