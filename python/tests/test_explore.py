"""The lines of Python that `morphscape explore` shows compute what it shows, to the bit."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import urllib.request
import zlib
from typing import Any

import numpy as np
import pytest

from conftest import ROOT

FADE = {"mode": "cross-fade"}
CUBIC = {"mode": "clean", "sampling": "cubic"}


class Explorer:
    """A server of the wheel's own command line, asked as its page asks it."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-m", "morphscape", "explore", "--no-open", "--engine", "cpu", *words]
        # Models of rows are named as they lie in the source.
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def ask(self, place: str, body: Any) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + place, data=data)) as answer:
            return bytes(answer.read())

    def check(self, items: list[Any], classes: int, **how: Any) -> str:
        """The lines of a view, which must compute what the page shows."""
        morph = {"steps": 7, "grid": 3, **how.pop("morph", FADE)}
        view = {"page": "test", "items": items, "morph": morph, **how}
        answer = self.ask("view", view)
        (length,) = struct.unpack("<I", answer[:4])
        shown = np.frombuffer(answer[4 + length :], np.float32)
        lines: str = json.loads(self.ask("commands", view))["python"]
        names: dict[str, Any] = {}
        exec(lines, names)
        found = np.ascontiguousarray(names["view"].probabilities, dtype=np.float32)
        if found.ndim == 3 and how.get("flat"):
            # A plane is drawn with alpha to the right and beta upwards.
            found = np.ascontiguousarray(found.transpose(1, 0, 2)[::-1])
        expected = shown[: found.size].reshape(found.shape)
        assert found.shape[-1] == classes
        same = (found.view(np.uint32) == expected.view(np.uint32)) | (np.isnan(found) & np.isnan(expected))
        assert same.all(), lines
        return lines


@pytest.fixture(scope="module")
def explorer():
    started = Explorer()
    yield started
    started.process.kill()
    started.process.wait()


ITEMS = [{"item": 9}, {"item": 2}, {"item": 1}]


@pytest.mark.parametrize(
    "how",
    [
        {"morph": CUBIC},
        {"morph": {"mode": "clean", "sampling": "linear"}},
        {"morph": {"mode": "published"}},
        {},
        {"flat": {"kind": "plane", "range": [0.3, 0.2]}},
        {"flat": {"kind": "plane", "range": [[0.3, 0.2], [-0.5, 1]]}},
        {"flat": {"kind": "plane", "clipped": True}},
        {"flat": {"kind": "triangle"}},
        {"line": "auto"},
    ],
)
def test_lines_of_pictures_compute_the_view(explorer, how):
    explorer.check(ITEMS, 10, **how)


def _png(levels: np.ndarray) -> bytes:
    height, width = levels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in levels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_a_picture_of_ones_own_stands_in_the_lines(explorer):
    picture = np.arange(784, dtype=np.uint8).reshape(28, 28)
    brought = json.loads(explorer.ask("own", _png(picture)))
    lines = explorer.check([ITEMS[0], {"own": brought["own"]}, ITEMS[2]], 10, morph=CUBIC)
    assert "base64" in lines


def test_lines_of_rows_compute_the_view(monkeypatch):
    monkeypatch.chdir(ROOT)
    explorer = Explorer("--data", "iris")
    rows = [{"row": [5.2, 3.1, 1.4, 0.2]}, {"item": 60}, {"item": 120}]
    try:
        for how in ({}, {"flat": {"kind": "plane"}}, {"flat": {"kind": "triangle"}}, {"line": "off"}):
            explorer.check(rows, 3, morph=CUBIC, **how)
    finally:
        explorer.process.kill()
        explorer.process.wait()
