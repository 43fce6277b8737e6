"""A register and figures as large as England's, made up, in the academy service's own tables."""

import random
from collections.abc import Iterator, Sequence
from uuid import uuid4

import psycopg

from academy.measures.rules import MEASURES

SCHOOLS = 24_000
FIGURES = 400_000
FIRST_URN = 800_000
PLACES = ("Park", "Hill", "Green", "Bridge", "Church", "Mill", "Wood", "Abbey", "Field", "Manor")
PHASES = ("primary", "primary", "primary", "secondary", "special")
YEARS = ("2021/22", "2022/23", "2023/24", "2024/25")

_SCHOOL = "urn, name, ukprn, laestab, la_code, la_name, phase, status, town, postcode, source, updated_at"
_FIGURE = "urn, measure, pupil_group, academic_year, period, release, value, cohort, source, import_id, recorded_at"


def _schools(chance: random.Random) -> Iterator[tuple[object, ...]]:
    for place in range(SCHOOLS):
        la = 200 + place % 150
        name = f"{chance.choice(PLACES)}{chance.choice(('side', 'view', 'lands', ''))} {chance.choice(PLACES)} School"
        yield (
            FIRST_URN + place,
            name,
            f"{20_000_000 + place}",
            f"{la}{1000 + place // 150:04d}",
            str(la),
            f"Authority {la}",
            chance.choice(PHASES),
            "open",
            "Town",
            f"AB{place % 90 + 10} {place % 9}CD",
            "load test",
        )


def _figures(chance: random.Random, urns: Sequence[int]) -> Iterator[tuple[object, ...]]:
    import_id = uuid4()
    codes = sorted(MEASURES)[:40]
    # All measures and years of our own academies; of the others as many as there are left.
    own = [(urn, code, year) for urn in urns for code in codes for year in YEARS]
    each = -(-(FIGURES - len(own)) // SCHOOLS)
    keys = [(code, year) for year in YEARS for code in codes][:each]
    others = ((FIRST_URN + place, code, year) for place in range(SCHOOLS) for code, year in keys)
    for urn, code, year in [*own, *others]:
        least = float(MEASURES[code].minimum or 0)
        value = round(least + chance.randrange(900) / 100, 2)
        yield urn, code, "all", year, "year", "final", value, chance.randrange(20, 300), "load test", import_id


def load_england(admin_url: str, urns: Sequence[int]) -> None:
    """Fill the register and the national figures, those of these academies among them."""
    chance = random.Random(11)
    with psycopg.connect(admin_url) as admin:
        (now,) = admin.execute("select now()").fetchone() or (None,)
        with admin.cursor() as cursor:
            with cursor.copy(f"copy academy.school ({_SCHOOL}) from stdin") as copy:
                for school in _schools(chance):
                    copy.write_row((*school, now))
            cursor.execute(
                "create temp table figure (like academy.reference_observation including defaults) on commit drop"
            )
            with cursor.copy(f"copy figure ({_FIGURE}) from stdin") as copy:
                for figure in _figures(chance, urns):
                    copy.write_row((*figure, now))
            # What the demo loaded already stays.
            cursor.execute(
                f"insert into academy.reference_observation ({_FIGURE}) select {_FIGURE} from figure"
                " on conflict do nothing"
            )
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("vacuum analyze academy.school")
        admin.execute("vacuum analyze academy.reference_observation")
        admin.execute("checkpoint")
