"""What a user hears while a call works: warnings, and a bar of tqdm where tqdm is installed."""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from typing import Any, Callable, Optional

from . import _morphscape

QUIET_S = 2.0
"""A call that takes no longer shows no progress unless it is asked for."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns at the line outside this package that made the call."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("morphscape"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def warn_of_engines() -> None:
    """Warns of what engines have said: a device is never left for the CPU in silence."""
    for message in _morphscape.engine_messages():
        warn(message, RuntimeWarning)


class Progress:
    """A bar: at once if it is asked for, else when a call takes long. Without a total it counts."""

    def __init__(self, total: Optional[int], show: Optional[bool], unit: str = "frame") -> None:
        self._total, self._show, self._unit = total, show, unit
        self._bar: Any = None
        self._begun = time.monotonic()

    def __enter__(self) -> Optional[Callable[[int], None]]:
        if self._show is False:
            return None
        if importlib.util.find_spec("tqdm") is None:
            if self._show:
                raise ImportError("show_progress=True shows a bar of tqdm, which is not installed: pip install tqdm")
            return None
        return self._update

    def _update(self, done: int) -> None:
        if self._bar is None:
            if not self._show and time.monotonic() - self._begun < QUIET_S:
                return
            from tqdm.auto import tqdm

            self._bar = tqdm(total=self._total, unit=self._unit, unit_scale=self._total is None)
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.close()
        warn_of_engines()
