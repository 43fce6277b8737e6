"""What a measure is: the words and bounds that make a bare number a figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Unit(StrEnum):
    """What a number of a measure counts."""

    PERCENT = "percent"
    POINTS = "points"
    PUPILS = "pupils"
    PER_100_PUPILS = "per_100_pupils"


class MeasureDirection(StrEnum):
    """Which way is better; neutral for what only describes, such as the number of pupils."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as a school would explain it.

    `decimals` is how many the source publishes. `minimum` and `maximum` bound what a figure can be at all, so
    that a slip of the keyboard is caught. `not_published` says, by academic year, why no school has a figure.
    `subject` begins a sentence about a figure ("... was 46.4 points"), in the singular, with `{pupils}` where it names
    whose figure it is; empty where the title does. `names_unit` says that the subject leaves nothing for the unit to
    add to the number.
    """

    code: str
    title: str
    meaning: str
    unit: Unit
    direction: MeasureDirection
    phases: tuple[str, ...]
    decimals: int
    minimum: float
    maximum: float
    source: str
    has_interval: bool = False
    not_published: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    subject: str = ""
    names_unit: bool = False

    def spoken(self, pupils: str | None = None) -> str:
        """What a sentence about a figure begins with: of these pupils, or of everyone."""
        subject = self.subject or self.title
        if "{pupils}" in subject:
            return subject.format(pupils=pupils or "pupils")
        return f"{subject} of {pupils}" if pupils else subject
