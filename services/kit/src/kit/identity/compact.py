"""A signed token (compact JWS, RFC 7515) taken apart, so that nothing in it can be read in two ways."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class TokenRefused(Exception):
    """The token doesn't count; says why in words that the caller may read."""


@dataclass(frozen=True, slots=True)
class Compact:
    """The parts of a token, before anybody has checked that they are true."""

    token: str
    header: dict[str, Any]
    payload: bytes
    signature: bytes

    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object. Raises TokenRefused."""
        return _json_object(self.payload, "claims")


def read_compact(token: str, *, longest: int) -> Compact:
    """Take a token of at most `longest` characters apart. Raises TokenRefused."""
    if len(token) > longest:
        raise TokenRefused("the token is too long")
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise TokenRefused("this is no signed token")
    header, payload, signature = (_decode(part) for part in parts.groups())
    return Compact(token, _json_object(header, "header"), payload, signature)


def _decode(part: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise TokenRefused("this is no signed token") from None
    # One token, one spelling: unused bits must be zero.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise TokenRefused("this is no signed token")
    return decoded


def _json_object(encoded: bytes, name: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise TokenRefused(f"the {name} names something twice")
        return members

    def no_constant(_: str) -> None:
        raise TokenRefused(f"the {name} can't be read")

    try:
        document = json.loads(encoded.decode(), object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise TokenRefused(f"the {name} can't be read") from None
    if not isinstance(document, dict):
        raise TokenRefused(f"the {name} is no object")
    return document
