"""A signed token of another issuer taken apart, so that nothing in it can be read in two ways."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final

LONGEST_TOKEN: Final = 16_384
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class IdTokenRefused(Exception):
    """The ID token doesn't count; says why in words that may be told to the client."""


@dataclass(frozen=True, slots=True)
class Compact:
    """What a token says before anybody has checked that it is true."""

    token: str
    header: dict[str, Any]
    claims: dict[str, Any]


def read_compact(token: str) -> Compact:
    """Take a token apart. Raises IdTokenRefused."""
    parts = _COMPACT.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if parts is None:
        raise IdTokenRefused("this is no signed token")
    header, payload, _ = (_decode(part) for part in parts.groups())
    return Compact(token, _json_object(header, "header"), _json_object(payload, "claims"))


def _decode(part: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise IdTokenRefused("this is no signed token") from None
    # One token, one spelling: unused bits must be zero.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise IdTokenRefused("this is no signed token")
    return decoded


def _json_object(encoded: bytes, name: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise IdTokenRefused(f"the {name} names something twice")
        return members

    def no_constant(_: str) -> None:
        raise IdTokenRefused(f"the {name} can't be read")

    try:
        document = json.loads(encoded.decode(), object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise IdTokenRefused(f"the {name} can't be read") from None
    if not isinstance(document, dict):
        raise IdTokenRefused(f"the {name} is no object")
    return document
