"""Atom feeds (RFC 4287)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement, tostring

MEDIA_TYPE = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its id never changes, and its texts are plain."""

    id: UUID
    title: str
    content: str
    updated_at: datetime
    category: str


def atom_feed(id_: UUID, *, title: str, author: str, made_at: datetime, entries: Sequence[Entry]) -> bytes:
    """A feed, newest entry first. It has no `self` link: that would copy its secret into every reader's store."""
    feed = Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "en-GB"})
    _text(feed, "id", id_.urn)
    _text(feed, "title", title)
    _text(feed, "updated", _written(max((entry.updated_at for entry in entries), default=made_at)))
    _text(SubElement(feed, "author"), "name", author)
    for entry in entries:
        element = SubElement(feed, "entry")
        _text(element, "id", entry.id.urn)
        _text(element, "title", entry.title)
        _text(element, "updated", _written(entry.updated_at))
        SubElement(element, "category", {"term": entry.category})
        _text(element, "content", entry.content, type="text")
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    # Control characters can't stand in XML, not even escaped.
    SubElement(parent, name, attributes).text = "".join(letter for letter in text if letter.isprintable())


def _written(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
