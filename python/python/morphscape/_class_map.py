"""The class map of a plane or triangle: which class is predicted where, and how far that is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Mapping, Optional

import numpy as np
import numpy.typing as npt

from . import _morphscape


@dataclass(frozen=True, repr=False)
class ClassMap:
    """The classes between the points of a plane or triangle, as exactly as the model allows."""

    found: str
    """How: ``exact``, every region of the network was made; ``certified``, bounds prove the class on a share of it;
    ``sampled``, nothing is known between the points."""
    because: Optional[str]
    """Why it is not exact, in words."""
    sentence: str
    """What stands beside the sampled numbers, in one sentence."""
    boundary: npt.NDArray[np.float64]
    """Segments between two classes, ``(n, 2, 2)``: both ends, alpha and beta of each, in the landscape's unit."""
    boundary_classes: npt.NDArray[np.uint16]
    """Numbers of the two classes of each segment, ``(n, 2)``, the lower one first."""
    area_share: Mapping[str, float]
    """The share of the area of each class, as far as it is known."""
    boundary_length: Mapping[tuple[str, str], float]
    """The length of the boundary of each two classes, in the landscape's unit."""
    barriers: tuple[Optional[float], Optional[float], Optional[float]]
    """The least barriers from A to B, from A to C and from B to C, where the map is exact."""
    regions: Optional[int]
    """Cells on which the network is affine, where all are known."""
    missed: Optional[int]
    """Parts of a class without a point, where the map is exact."""
    missed_places: npt.NDArray[np.float64]
    """A place in each of them, ``(missed, 2)``: alpha and beta."""
    certificate: Optional[Mapping[str, Any]]
    """All that is known of what the points miss, where the map is exact."""
    facts: Mapping[str, Any]
    """Everything that ``sections.json`` of a run says."""
    row: Mapping[str, Any]
    """Its row of ``maps.csv``."""

    def __repr__(self) -> str:
        return f"<ClassMap, {self.found}: {self.sentence}>"


def class_map_of(file: _morphscape.LandscapeFile) -> Optional[ClassMap]:
    """The class map of a landscape that has one."""
    parts, row = file.class_map(), file.map_row()
    if parts is None or row is None:
        return None
    text, segments, classes = parts
    facts: dict[str, Any] = json.loads(text)
    names = file.class_names

    def pair(key: str) -> tuple[str, str]:
        one, other = key.split("-")
        return names[int(one)], names[int(other)]

    certificate = facts["certificate"]
    places = [] if certificate is None else certificate["missed_places"]
    ab, ac, bc = facts.get("barriers") or (None, None, None)
    for array in (segments, classes):
        array.flags.writeable = False
    return ClassMap(
        found=facts["label"]["kind"],
        because=facts.get("because"),
        sentence=facts["sentence"],
        boundary=segments.reshape(-1, 2, 2),
        boundary_classes=classes,
        area_share={names[int(key)]: share for key, share in facts["area_share"].items()},
        boundary_length={pair(key): length for key, length in facts["boundary_length"].items()},
        barriers=(ab, ac, bc),
        regions=facts["regions"],
        missed=None if certificate is None else certificate["missed"],
        missed_places=np.array(places, dtype=np.float64).reshape(-1, 2),
        certificate=certificate,
        facts=facts,
        row=dict(json.loads(row)),
    )
