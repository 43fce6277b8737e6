"""The nine regions of England by the names that published files use, and their codes.

Codes are those of the Office for National Statistics (regions, December 2024), as in `region_code` of the DfE's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REGIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "E12000001": "North East",
        "E12000002": "North West",
        "E12000003": "Yorkshire and The Humber",
        "E12000004": "East Midlands",
        "E12000005": "West Midlands",
        "E12000006": "East of England",
        "E12000007": "London",
        "E12000008": "South East",
        "E12000009": "South West",
    }
)
"""The name of each region by its code."""

_BY_NAME: Final = {name.casefold(): code for code, name in REGIONS.items()}


def region_code(name: str | None) -> str | None:
    """The code of a region by its name, in whatever case; None for anything else ("Not Applicable", Wales)."""
    return None if name is None else _BY_NAME.get(" ".join(name.split()).casefold())
