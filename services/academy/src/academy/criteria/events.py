"""What the feed tells of criteria sets."""

from __future__ import annotations

from academy.criteria.schemas import CriteriaSetChanged
from kit.events.recording import EventType


def _type(word: str, title: str) -> EventType:
    return EventType(f"org.trellis.academy.criteria-set.{word}.v1", title, "criteria:read", CriteriaSetChanged)


CREATED = _type("created", "A criteria set was drafted")
CHANGED = _type("changed", "A draft of a criteria set was changed")
DELETED = _type("deleted", "A draft of a criteria set was deleted")
PUBLISHED = _type("published", "A criteria set was published and rates academies from now on")
RETIRED = _type("retired", "A criteria set was retired: another took its place")
