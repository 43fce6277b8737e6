"""How long it takes to rate all academies of a trust anew: 200 of them, and 2,000.

`python -m tests.load.rerate` prints it. Every academy has five criteria over three years of figures, nine out of ten
figures are there; the first rating writes every rating, the second finds nothing new, the third finds all changed.
"""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from academy.ratings.service import rerate
from kit.database.sessions import Connection, Context
from kit.ids import tenant_id, uuid7
from tests.support import cluster as clusters
from tests.support.cluster import Cluster, shared_cluster
from tests.support.databases import Clone, clone

NOW = datetime(2026, 1, 5, tzinfo=UTC)
YEARS = ("2022/23", "2023/24", "2024/25")
MEASURES: dict[str, tuple[float, str, dict[str, float], str]] = {
    "ks4.progress_8": (0.0, "higher_is_better", {"green": 0, "amber": -0.5}, "fixed"),
    "ks4.attainment_8": (46.0, "higher_is_better", {"green": 0, "amber": -5}, "national"),
    "ks4.english_maths_grade_5_percent": (45.0, "higher_is_better", {"green": 0, "amber": -10}, "national"),
    "ks4.english_maths_grade_4_percent": (65.0, "higher_is_better", {"green": 0, "amber": -5}, "previous"),
    "absence.overall_percent": (8.0, "lower_is_better", {"green": 0, "amber": 1.5}, "national"),
}


def _rules() -> dict[str, Any]:
    criteria = [
        {
            "code": measure.replace(".", "_"),
            "title": measure,
            "measure": measure,
            "direction": direction,
            "bounds": bounds,
            "comparison": comparison,
            "layer": "national",
            "pupil_group": "all",
            "period": "year",
            "academic_year": None,
            "max_age_years": 2,
            "needs_significance": measure == "ks4.progress_8",
            "smallest_cohort": 11,
            "weight": 2,
            "is_limiting": False,
            "reason": "",
        }
        for measure, (_, direction, bounds, comparison) in MEASURES.items()
    ]
    overall = {"method": "weighted_points", "point_cuts": [66, 33], "least_assessed_percent": 50, "limit": "red"}
    return {"scale": None, "overall": overall, "criteria": criteria}


async def fill(admin: Connection, trust: UUID, first_urn: int, academies: int) -> None:
    """A trust with so many secondaries, their figures and a published set."""
    chance = random.Random(first_urn)
    urns = range(first_urn, first_urn + academies)
    await admin.execute(
        "insert into academy.trust_register (id, group_uid, name, kind, status, updated_at)"
        " values ($1, $2, $2, 'multi_academy_trust', 'open', now())",
        trust,
        str(first_urn),
    )
    await admin.copy_records_to_table(
        "school",
        schema_name="academy",
        columns=["urn", "name", "phase", "status", "updated_at"],
        records=[(urn, f"School {urn}", "secondary", "open", NOW) for urn in urns],
    )
    await admin.copy_records_to_table(
        "membership",
        schema_name="academy",
        columns=["urn", "register_id", "joined_on", "recorded_at"],
        records=[(urn, trust, NOW.date(), NOW) for urn in urns],
    )
    records = []
    for urn in urns:
        for measure, (centre, *_) in MEASURES.items():
            for year in YEARS:
                value = round(chance.gauss(centre, 3 if centre else 0.4), 2)
                there = chance.random() < 0.9
                lower, upper = (value - 0.2, value + 0.2) if there and not centre else (None, None)
                records.append(
                    (urn, measure, "all", year, "year", "final", value if there else None,
                     None if there else "suppressed", lower, upper, 150, "load test", trust, NOW)
                )  # fmt: skip
    await admin.copy_records_to_table(
        "reference_observation",
        schema_name="academy",
        columns=[
            "urn", "measure", "pupil_group", "academic_year", "period", "release", "value", "reason", "lower",
            "upper", "cohort", "source", "import_id", "recorded_at",
        ],
        records=records,
    )  # fmt: skip
    await admin.execute(
        "insert into academy.criteria_set (trust_id, id, phase, title, number, state, rules, created_at, created_by,"
        " published_at, published_by) values ($1, $2, 'secondary', 'Load', 1, 'published', $3, now(), 'x', now(), 'x')",
        trust,
        uuid7(),
        orjson.dumps(_rules()).decode(),
    )


async def _england(admin: Connection) -> None:
    for measure, (centre, *_) in MEASURES.items():
        for year in YEARS:
            await admin.execute(
                "insert into academy.comparison_figure (area, area_code, sector, phase, measure, pupil_group,"
                " academic_year, period, release, value, source, import_id, recorded_at) values ('england',"
                " 'E92000001', 'state_funded', 'all', $1, 'all', $2, 'year', 'final', $3, 'x', $4, now())",
                measure,
                year,
                centre,
                uuid7(),
            )


async def seconds_to_rate(database: Clone, trust: UUID) -> tuple[float, int]:
    """How long one rating of the whole trust takes, and how many ratings are new."""
    began = time.perf_counter()
    async with database.of("academy").session(Context(trust, None, "load")) as session:
        new = await rerate(session, trust)
    return time.perf_counter() - began, new


async def measure(cluster: Cluster, sizes: Sequence[int] = (200, 2_000)) -> dict[int, dict[str, float]]:
    """Seconds for each size: all new, nothing new, all changed."""
    found: dict[int, dict[str, float]] = {}
    async with clone(cluster, "load") as database:
        async with database.admin() as admin:
            await _england(admin)
            for place, size in enumerate(sizes):
                await fill(admin, tenant_id(f"load:{size}"), 100_000 + place * 100_000, size)
            await admin.execute("analyze")
        for size in sizes:
            trust = tenant_id(f"load:{size}")
            first, new = await seconds_to_rate(database, trust)
            assert new == size
            second, new = await seconds_to_rate(database, trust)
            assert new == 0
            async with database.admin() as admin:
                await admin.execute("update academy.comparison_figure set value = value + 0.1")
            third, new = await seconds_to_rate(database, trust)
            # A few have none of the figures that are held against England.
            assert new > 0.95 * size
            found[size] = {"all_new": first, "nothing_new": second, "all_changed": third}
    return found


def main() -> int:
    """Print it."""
    clusters.announce()
    try:
        found = asyncio.run(measure(shared_cluster()))
    finally:
        clusters.end()
    for size, seconds in found.items():
        told = ", ".join(f"{name} {value:.2f} s ({size / value:,.0f}/s)" for name, value in seconds.items())
        print(f"{size:>6} academies: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
