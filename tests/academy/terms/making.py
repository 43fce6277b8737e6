"""Terms for tests: each function fills in what the test doesn't care about."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

PATH = "/academy/v1/terms"

HAMPSHIRE: Final[Mapping[tuple[str, str], tuple[str, str, str, str]]] = {
    ("2025/26", "autumn"): ("2025-09-03", "2025-12-19", "2025-10-27", "2025-10-31"),
    ("2025/26", "spring"): ("2026-01-05", "2026-03-27", "2026-02-16", "2026-02-20"),
    ("2025/26", "summer"): ("2026-04-13", "2026-07-22", "2026-05-25", "2026-05-29"),
    ("2026/27", "autumn"): ("2026-09-01", "2026-12-18", "2026-10-26", "2026-10-30"),
    ("2026/27", "spring"): ("2027-01-04", "2027-03-25", "2027-02-15", "2027-02-19"),
    ("2026/27", "summer"): ("2027-04-12", "2027-07-21", "2027-05-31", "2027-06-04"),
}
"""Hampshire County Council's term dates, as published on 19 June 2026: first and last day, half term."""


def body(year: str = "2025/26", term: str = "autumn", **values: Any) -> dict[str, Any]:
    """The dates of a term: Hampshire's unless others are given."""
    starts_on, ends_on, half_term_starts_on, half_term_ends_on = HAMPSHIRE[year, term]
    return {
        "academic_year": year,
        "term": term,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "half_term_starts_on": half_term_starts_on,
        "half_term_ends_on": half_term_ends_on,
        **values,
    }


async def create(
    writer: httpx.AsyncClient, year: str = "2025/26", term: str = "autumn", **values: Any
) -> httpx.Response:
    """A new term."""
    made = await writer.post(PATH, json=body(year, term, **values))
    assert made.status_code == 201, made.text
    return made


async def create_all(writer: httpx.AsyncClient) -> list[httpx.Response]:
    """Hampshire's two years, as a trust's own."""
    return [await create(writer, *key) for key in HAMPSHIRE]


async def move(writer: httpx.AsyncClient, seen: httpx.Response, verb: str, **values: Any) -> httpx.Response:
    """Move the term that was seen."""
    path, tag = f"{PATH}/{seen.json()['id']}/{verb}", {"If-Match": seen.headers["ETag"]}
    return await writer.post(path, json=values, headers=tag)
