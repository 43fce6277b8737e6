"""Rows of the register and of figures for tests: each function fills in what the test doesn't care about."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text

from kit.ids import tenant_id, uuid7
from tests.support.tokens import PROSPERE

TOLD_AT = datetime(2025, 9, 1, 8, tzinfo=UTC)


class Executes(Protocol):
    """A session of the superuser, or anything else that takes statements."""

    async def execute(self, statement: Any, parameters: Any = None, /) -> Any: ...


async def add(session: Executes, table: str, values: Mapping[str, Any]) -> None:
    """Insert one row."""
    columns = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    await session.execute(text(f"insert into academy.{table} ({columns}) values ({places})"), dict(values))


async def add_trust(session: Executes, group_uid: str = "16846", **values: Any) -> UUID:
    """A trust of the register; its id."""
    trust = tenant_id(f"gias-group:{group_uid}")
    row = {
        "id": trust,
        "group_uid": group_uid,
        "group_id": f"TR{int(group_uid):05d}",
        "name": f"Trust {group_uid}",
        "kind": "multi_academy_trust",
        "status": "open",
        "updated_at": TOLD_AT,
    }
    await add(session, "trust_register", row | values)
    return trust


async def add_school(
    session: Executes, urn: int, *, trust: UUID | None = None, joined_on: date = date(2018, 9, 1), **values: Any
) -> int:
    """A school, and its membership of a trust when one is named; its URN."""
    row = {
        "urn": urn,
        "name": f"School {urn}",
        "laestab": f"850{urn % 10_000:04d}",
        "ukprn": f"1{urn:07d}",
        "la_code": "850",
        "la_name": "Hampshire",
        "phase": "secondary",
        "status": "open",
        "updated_at": TOLD_AT,
    }
    await add(session, "school", row | values)
    if trust is not None:
        await add_membership(session, urn, trust, joined_on=joined_on)
    return urn


async def add_membership(
    session: Executes, urn: int, trust: UUID, *, joined_on: date = date(2018, 9, 1), **values: Any
) -> None:
    """That a school belongs to a trust."""
    row = {"id": uuid7(), "urn": urn, "register_id": trust, "joined_on": joined_on, "recorded_at": TOLD_AT}
    await add(session, "membership", row | values)


async def add_inspection(session: Executes, urn: int, inspected_on: date, **values: Any) -> UUID:
    """An inspection with an overall grade; its id."""
    row = {
        "id": uuid7(),
        "urn": urn,
        "inspected_on": inspected_on,
        "kind": "overall_grade",
        "overall_grade": "good",
        "recorded_at": TOLD_AT,
    }
    await add(session, "inspection", row | values)
    return UUID(str((row | values)["id"]))


async def add_figure(session: Executes, urn: int, *, trust: UUID | None = None, **values: Any) -> UUID:
    """A national figure of a school, or one of its trust's own; its id."""
    row = {
        "id": uuid7(),
        "urn": urn,
        "measure": "ks4.attainment_8",
        "pupil_group": "all",
        "academic_year": "2018/19",
        "period": "year",
        "release": "final",
        "value": 46.5 if "reason" not in values else None,
        "source": "DfE key stage 4 performance tables",
        "import_id": uuid7(),
        "recorded_at": TOLD_AT,
    }
    if trust is not None:
        row["trust_id"] = trust
    await add(session, "reference_observation" if trust is None else "observation", row | values)
    return UUID(str((row | values)["id"]))


async def add_comparison(session: Executes, **values: Any) -> None:
    """A figure of England's state-funded schools."""
    row = {
        "id": uuid7(),
        "area": "england",
        "area_code": "E92000001",
        "sector": "state_funded",
        "phase": "all",
        "measure": "ks4.attainment_8",
        "pupil_group": "all",
        "academic_year": "2018/19",
        "period": "year",
        "release": "final",
        "value": 46.7,
        "source": "DfE key stage 4 performance tables",
        "import_id": uuid7(),
        "recorded_at": TOLD_AT,
    }
    await add(session, "comparison_figure", row | values)


__all__ = [
    "PROSPERE",
    "TOLD_AT",
    "add_comparison",
    "add_figure",
    "add_inspection",
    "add_membership",
    "add_school",
    "add_trust",
]
