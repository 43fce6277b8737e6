"""What can go wrong with reading statuses."""

from __future__ import annotations

from datetime import datetime

from academy.codes import Code
from kit.problems import FieldError, InvalidRequest


class AsOfInFuture(InvalidRequest):
    """`as_of` is in the future."""

    @classmethod
    def at(cls, instant: datetime) -> AsOfInFuture:
        """The problem with `?as_of=instant`."""
        detail = f"{instant.isoformat()} is in the future."
        return cls(detail, errors=[FieldError.in_query("as_of", Code.IN_THE_FUTURE, detail)])


class AsOfWithUpdatedSince(InvalidRequest):
    """`as_of` and `updated_since` can't be combined."""

    @classmethod
    def together(cls) -> AsOfWithUpdatedSince:
        """The problem with `?as_of=...&updated_since=...`."""
        detail = "Send as_of or updated_since, not both."
        return cls(detail, errors=[FieldError.in_query("updated_since", Code.NOT_WITH_AS_OF, detail)])


class AsOfWithSortByChange(InvalidRequest):
    """`as_of` and `sort=changed` can't be combined."""

    @classmethod
    def together(cls) -> AsOfWithSortByChange:
        """The problem with `?as_of=...&sort=changed`."""
        detail = "The past can be sorted by name or status, not by changed."
        return cls(detail, errors=[FieldError.in_query("sort", Code.NOT_WITH_AS_OF, detail)])
