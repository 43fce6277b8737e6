"""The board says every status in a word, with the figures that led to it."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from tests.support.answers import Served, told
from trellis import board
from trellis.api import Api
from trellis.board import Row


def criterion(**others: Any) -> dict[str, Any]:
    usual = {
        "title": "Attainment 8 against England",
        "status": "amber",
        "value": 44.0,
        "reason": None,
        "unit": "points",
        "comparison": {"kind": "national", "value": 45.9, "period": "2024/25"},
    }
    return {**usual, **others}


FIXED = {"kind": "fixed", "value": None, "period": None}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (criterion(), "Attainment 8 44 (England 45.9)"),
        (criterion(title="Progress 8", value=-0.2, comparison=FIXED), "Progress 8 -0.2"),
        (
            criterion(
                title="English and maths, against the year before",
                unit="percent",
                value=47.13,
                comparison={"kind": "previous", "value": 55.0, "period": "2023/24"},
            ),
            "English and maths 47.1% (before 55.0%)",
        ),
        (criterion(value=None, reason="not_published"), "Attainment 8 (not published)"),
        (criterion(value=None, reason=None), "Attainment 8 (no figure)"),
        (criterion(comparison={"kind": "national", "value": None, "period": None}), "Attainment 8 44"),
    ],
)
def test_a_criterion_in_words(given: dict[str, Any], words: str) -> None:
    assert board.in_words(given) == words


@pytest.fixture
def rows(serve: Callable[..., tuple[str, Served]]) -> list[Row]:
    """The rows of a board with three academies, two of them rated."""
    common = {"phase": "secondary", "moderated": False}
    items = [
        {"name": "B", "status": "green", "label": "Green", "rating_id": "g", **common},
        {"name": "C", "status": "not_assessed", "label": "Not assessed", "rating_id": None, **common},
        {"name": "A", "status": "red", "label": "Urgent", "rating_id": "r", **common, "moderated": True},
    ]
    rating = {"criteria": [criterion(status="red"), criterion(status="green", title="Absence")]}
    url, _ = serve(told(200, {"items": items, "next": None}), told(200, rating))
    with Api(url) as api:
        return board.rows_of(api)


def shown(rows: list[Row], *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=110, force_terminal=colour, color_system="truecolor" if colour else None)
    board.show("A Trust", rows, console)
    return out.getvalue()


def test_who_needs_most_comes_first_and_every_status_is_a_word(rows: list[Row]) -> None:
    assert [row.name for row in rows] == ["A", "B", "C"]
    text = shown(rows)
    for word in ("RED: Urgent", "moderated", "GREEN", "NOT ASSESSED", "no rating yet"):
        assert word in text
    assert "red: Attainment 8 44 (England 45.9)" in text
    assert "\x1b[" not in text


def test_colours_come_with_the_words_on_a_terminal(rows: list[Row]) -> None:
    text = shown(rows, colour=True)
    assert "\x1b[" in text
    assert "GREEN" in text


def test_the_board_says_whose_judgement_it_is_not_and_where_the_figures_are_from() -> None:
    text = " ".join(shown([]).split())
    assert "demonstration criteria on published figures" in text
    assert "not anybody's judgement" in text
    assert "Contains public sector information licensed under the Open Government Licence v3.0." in text


def test_markup_in_a_name_is_only_text() -> None:
    row = Row("[red]Academy[/red]", "primary", "green", "Green", is_moderated=False, criteria=())
    assert "[red]Academy[/red]" in shown([row])
