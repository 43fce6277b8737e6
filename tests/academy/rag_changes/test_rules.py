"""How a change is put into words."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from academy.rag_changes.rules import Change, Kind, content_of, title_of


def change(kind: Kind, before: str | None, after: str | None, **more: Any) -> Change:
    return Change(uuid4(), kind, "Chorlton High School", before, after, datetime(2025, 10, 1, tzinfo=UTC), **more)


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (change(Kind.RATED, "amber", "green"), "Chorlton High School: amber to green"),
        (change(Kind.RATED, None, "not_assessed"), "Chorlton High School: first rated not assessed"),
        (
            change(Kind.RATED, "amber", "green", is_covered=True),
            "Chorlton High School: figures now say green, the override stays",
        ),
        (change(Kind.OVERRIDDEN, "red", "amber"), "Chorlton High School: red to amber"),
        (change(Kind.OVERRIDDEN, "red", "red"), "Chorlton High School: stays red"),
        (change(Kind.OVERRIDE_ENDED, "amber", "red", how="lapsed"), "Chorlton High School: amber to red"),
        (change(Kind.OVERRIDE_ENDED, "amber", None, how="left"), "Chorlton High School: left the trust"),
    ],
)
def test_a_title_says_what_moved(made: Change, title: str) -> None:
    assert title_of(made) == title


def test_the_content_says_why_in_a_word() -> None:
    assert content_of(change(Kind.RATED, "amber", "green")) == "Rated from figures."
    assert "what the board shows" in content_of(change(Kind.RATED, "amber", "green", is_covered=True))
    made = change(Kind.OVERRIDDEN, "red", "amber", lapses_on=date(2025, 10, 31))
    assert content_of(made) == "A person has overridden the computed rating. It counts until 31 October 2025."
    assert (
        content_of(change(Kind.OVERRIDE_ENDED, "amber", "red", how="lapsed"))
        == "The override has reached its last day."
    )
