"""What is only seen of a file as a whole: columns that are probably not what they are called."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from academy.imports.codes import RowCode
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
            yield RowError(None, column, RowCode.COLUMN_UNRECOGNISED, detail)
        elif tally.is_mostly_outside:
            limits = MEASURES[measure]
            detail = (
                f"Of {tally.full:,} numbers {tally.outside:,} are outside {limits.minimum:g} to {limits.maximum:g} "
                f"({limits.title}): this is probably another column."
            )
            yield RowError(None, column, RowCode.COLUMN_OUT_OF_RANGE, detail)


def _warnings(tallies: Mapping[TallyKey, Tally]) -> Iterator[ReadingWarning]:
    for (column, measure), tally in tallies.items():
        if tally.looks_like_fractions:
            detail = (
                f"No percentage of {MEASURES[measure].title} in this file is above 1. Percentages are read as they "
                "stand: 92.4, not 0.924. Were fractions sent, take this import back."
            )
            several = (
                "No percentage of these in this file is above 1. Percentages are read as they stand: 92.4, not 0.924. "
                "Were fractions sent, take this import back."
            )
            title = MEASURES[measure].title
            yield ReadingWarning(column, RowCode.PERCENTS_AS_FRACTIONS, detail, tally.positive, several, title)


_FIRST: Final = (
    # A file that was cut off leaves out figures, too.
    RowCode.LAST_LINE_SHORT,
    RowCode.VALUE_WAS_ERASED,
    RowCode.FIGURES_EMPTIED,
    RowCode.PERCENTS_AS_FRACTIONS,
    RowCode.UNKNOWN_MEMBERSHIP,
    RowCode.LATER_MEMBERSHIP_KEPT,
    RowCode.STATUS_CONTRADICTS_DATE,
    RowCode.CATEGORY_DIFFERS,
    RowCode.UNRECOGNISED_SYMBOL,
    RowCode.UNKNOWN_WORD,
    RowCode.VALUE_OF_NOBODY,
    RowCode.OUTSIDE_THE_USUAL,
    RowCode.ABOVE_THE_WHOLE,
    RowCode.INTERVAL_REVERSED,
    RowCode.OUTSIDE_INTERVAL,
    RowCode.DETAIL_WITHOUT_VALUE,
    RowCode.PERIOD_AHEAD,
    RowCode.COHORT_BELOW_ZERO,
    RowCode.ACADEMY_NOT_OF_TRUST,
    RowCode.ACADEMIES_NOT_OF_TRUST,
)
"""Codes of warnings about figures, the gravest first. Others stand between these and what was merely left out."""
_LAST: Final = (
    RowCode.COLUMN_NAMELESS,
    RowCode.LAST_LINE_OPEN,
    RowCode.SEPARATOR_LINE,
    RowCode.UNKNOWN_COLUMN,
    RowCode.UNKNOWN_COLUMNS,
)


MOST_NAMED: Final = 20
"""So many columns of one warning are named."""


def gathered(warnings: Iterable[ReadingWarning]) -> Iterator[ReadingWarning]:
    """Warnings that say the same of several columns or measures as one, which names these and adds up the cells."""
    same: dict[tuple[str, str], list[ReadingWarning]] = {}
    for warning in warnings:
        same.setdefault((warning.code, warning.of_several or warning.detail), []).append(warning)
    for (_, several), alike in same.items():
        columns = dict.fromkeys(one.column for one in alike)
        # Rows that each say of what they are have one column for all measures.
        names = list(dict.fromkeys(one.column if len(columns) > 1 else one.measure for one in alike))
        if len(names) == 1:
            yield from alike
            continue
        listed = ", ".join(str(name) for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        times = sum(one.times for one in alike if one.times is not None)
        column = alike[0].column if len(columns) == 1 else None
        yield ReadingWarning(column, alike[0].code, f"{several} {len(names)} in all: {listed}{more}.", times)


def by_importance(warnings: Iterable[ReadingWarning]) -> list[ReadingWarning]:
    """Warnings with the most important first; of the same importance in the order in which they were found."""
    places = {code: place for place, code in enumerate((*_FIRST, None, *_LAST))}
    return sorted(warnings, key=lambda warning: places.get(warning.code, places[None]))
