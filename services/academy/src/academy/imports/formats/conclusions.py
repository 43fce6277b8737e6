"""What is only seen of a file as a whole: columns that are probably not what they are called."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from academy.imports.formats.reading import Reading, ReadingWarning, RowError
from academy.imports.formats.tallies import Tally, TallyKey
from academy.measures.rules import MEASURES


def conclude(tallies: Mapping[TallyKey, Tally], done: float) -> Reading:
    """The last reading of a file: what its columns, counted over all of it, are refused or warned for."""
    last = Reading(done=done)
    last.refuse(_errors(tallies))
    last.warn(_warnings(tallies))
    return last


def _errors(tallies: Mapping[TallyKey, Tally]) -> Iterator[RowError]:
    for (column, measure), tally in tallies.items():
        if tally.is_mostly_unrecognised:
            detail = (
                f"Of {tally.full:,} cells that aren't empty, {tally.unrecognised:,} hold symbols that nobody knows: "
                "this is probably another column, or another kind of file."
            )
            yield RowError(None, column, "column-unrecognised", detail)
        elif tally.is_mostly_outside:
            limits = MEASURES[measure]
            detail = (
                f"Of {tally.full:,} numbers {tally.outside:,} are outside {limits.minimum:g} to {limits.maximum:g} "
                f"({limits.title}): this is probably another column."
            )
            yield RowError(None, column, "column-out-of-range", detail)


def _warnings(tallies: Mapping[TallyKey, Tally]) -> Iterator[ReadingWarning]:
    for (column, measure), tally in tallies.items():
        if tally.looks_like_fractions:
            detail = (
                f"No percentage of {MEASURES[measure].title} in this file is above 1. Percentages are read as they "
                "stand: 92.4, not 0.924. Were fractions sent, take this import back."
            )
            yield ReadingWarning(column, "percents-as-fractions", detail, tally.positive)


_FIRST: Final = (
    # A file that was cut off leaves out figures, too.
    "last-line-short",
    "figures-emptied",
    "percents-as-fractions",
    "membership-unknown",
    "later-membership-kept",
    "status-contradicts-date",
    "category-differs",
    "unrecognised-symbol",
    "word-unknown",
    "value-of-nobody",
    "outside-the-usual",
    "above-the-whole",
    "interval-reversed",
    "cohort-below-zero",
    "academy-not-of-trust",
    "academies-not-of-trust",
)
"""Codes of warnings about figures, the gravest first. Others stand between these and what was merely left out."""
_LAST: Final = ("column-nameless", "last-line-open", "separator-line", "column-unknown", "columns-unknown")


def by_importance(warnings: Iterable[ReadingWarning]) -> list[ReadingWarning]:
    """Warnings with the most important first; of the same importance in the order in which they were found."""
    places = {code: place for place, code in enumerate((*_FIRST, "", *_LAST))}
    return sorted(warnings, key=lambda warning: places.get(warning.code, places[""]))
