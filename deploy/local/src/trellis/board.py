"""A trust's RAG board in the terminal: every status as a word, never as a colour alone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trellis.api import Api

STYLES: Mapping[str, str] = {
    "green": "bold white on green4",
    "amber": "bold black on orange1",
    "red": "bold white on red3",
    "not_assessed": "bold white on grey37",
}
WORDS: Mapping[str, str] = {"green": "GREEN", "amber": "AMBER", "red": "RED", "not_assessed": "NOT ASSESSED"}
ORDER = ("red", "amber", "green", "not_assessed")

DISCLAIMER = (
    "These ratings are the output of demonstration criteria on published figures. "
    "They are not anybody's judgement of these schools."
)
ATTRIBUTION = "Contains public sector information licensed under the Open Government Licence v3.0."

WIDTH_WITHOUT_TERMINAL = 110


@dataclass(frozen=True, slots=True)
class Row:
    """One academy: its status, and how each criterion came out."""

    name: str
    phase: str
    status: str
    label: str
    is_moderated: bool
    criteria: tuple[tuple[str, str], ...]
    """What each criterion looked at, in words, and its status."""


def rows_of(api: Api) -> list[Row]:
    """The academies of the caller's trust, those that need most attention first."""
    rows = [_row(api, item) for item in api.items("/academy/v1/rag-statuses", limit=500)]
    return sorted(rows, key=lambda row: (ORDER.index(row.status), row.name))


def show(trust: str, rows: Iterable[Row], console: Console) -> None:
    """Print the board."""
    table = Table(title=f"{trust}: RAG board", title_justify="left", title_style="bold", show_lines=True, expand=True)
    table.add_column("Academy", overflow="fold", ratio=2)
    table.add_column("Phase", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Criteria", overflow="fold", ratio=5)
    for row in rows:
        table.add_row(Text(row.name), row.phase.replace("_", " "), _status(row), _criteria(row))
    console.print(table)
    console.print(DISCLAIMER)
    console.print(ATTRIBUTION, style="dim")


def console_for_people() -> Console:
    """Where the board is printed: as wide as the terminal, or wide enough where there is none."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=max(found.width, WIDTH_WITHOUT_TERMINAL))


def in_words(criterion: Mapping[str, Any]) -> str:
    """One criterion: what is measured, the figure or why there is none, and what it was held against."""
    measured = _COMPARISON.sub("", criterion["title"])
    if criterion["value"] is None:
        return f"{measured} ({(criterion['reason'] or 'no figure').replace('_', ' ')})"
    compared = criterion["comparison"]
    against = _AGAINST.get(compared["kind"])
    beside = (
        "" if compared["value"] is None or against is None else f" ({against} {_figure(compared['value'], criterion)})"
    )
    return f"{measured} {_figure(criterion['value'], criterion)}{beside}"


# Titles say what they compare with; the board shows that figure.
_COMPARISON = re.compile(r",? against .*$")
_AGAINST = {"national": "England", "previous": "before"}


def _figure(value: float, criterion: Mapping[str, Any]) -> str:
    return f"{value:.1f}%" if criterion["unit"] == "percent" else f"{value:g}"


def _row(api: Api, item: Mapping[str, Any]) -> Row:
    criteria: tuple[tuple[str, str], ...] = ()
    if item.get("rating_id"):
        rating = api.get(f"/academy/v1/ratings/{item['rating_id']}")
        criteria = tuple((in_words(one), one["status"]) for one in rating["criteria"])
    return Row(
        name=item["name"],
        phase=item["phase"] or "",
        status=item["status"],
        label=item["label"],
        is_moderated=item["moderated"],
        criteria=criteria,
    )


def _status(row: Row) -> Text:
    word = (
        WORDS[row.status] if row.label.lower().replace(" ", "_") == row.status else f"{WORDS[row.status]}: {row.label}"
    )
    found = Text(f" {word} ", style=STYLES[row.status])
    return found.append(" moderated", style="not bold default on default") if row.is_moderated else found


def _criteria(row: Row) -> Text:
    """The criteria by status, worst first, each group with its word."""
    lines = []
    for status in ORDER:
        reasons = [words for words, found in row.criteria if found == status]
        if reasons:
            lines.append(Text.assemble((WORDS[status].lower(), "bold"), ": ", "; ".join(reasons)))
    return Text("\n").join(lines) if lines else Text("no rating yet", style="dim")
