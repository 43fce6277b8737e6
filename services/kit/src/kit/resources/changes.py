"""What was done with a thing, as its history shows it: changes of its state, and of its days."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from pydantic import BaseModel, Field


class FieldChangeOut(BaseModel):
    """A field that is a day, before and after a change."""

    name: str = Field(description="The field.", examples=["starts_on"])
    before: str | None = Field(description="What it was; null for nothing.", examples=["2026-09-01"])
    after: str | None = Field(description="What it became; null for nothing.", examples=["2026-09-03"])


class ChangeOut(BaseModel):
    """One change of state, or of days: kept for good, with its reason."""

    verb: str = Field(description="What was done.", examples=["withdraw"])
    before: str | None = Field(description="The state before; null for a new one.", examples=["in_force"])
    after: str = Field(description="The state after.", examples=["withdrawn"])
    at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    by: str = Field(description="Subject of the token.", examples=["person:0193e2f1"])
    as_role: str | None = Field(description="In which role; null for the service itself.", examples=["chief-executive"])
    reason: str | None = Field(
        description="Why; null when no reason was given.", examples=["The results were corrected."]
    )
    fields: list[FieldChangeOut] = Field(description="The days that a `change` moved; empty for a change of state.")


def moved_days(values: Mapping[str, tuple[object, object]]) -> Iterator[FieldChangeOut]:
    """Those of these fields that are days, of which each has its value before and after."""
    for name, (before, after) in values.items():
        if isinstance(before, date) or isinstance(after, date):
            was, became = (None if value is None else str(value) for value in (before, after))
            yield FieldChangeOut(name=name, before=was, after=became)
