"""Opaque places in a list, signed so that nobody can make one up or carry it elsewhere.

A cursor holds for one list, with one set of filters, for one tenant.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import orjson

from kit.field_codes import KitCode
from kit.key_ring import CURSORS, KeyRing
from kit.problems import FieldError, InvalidCursor

_MAC_BYTES = 16
LONGEST_CURSOR = 1024

_keys: ContextVar[Sequence[bytes]] = ContextVar("cursor_keys")


def derive_keys(ring: KeyRing) -> Sequence[bytes]:
    """The keys that sign cursors, derived from the installation's secret keys, newest first."""
    return [derived.key for derived in ring.derive(CURSORS)]


def use_keys(keys: Sequence[bytes]) -> None:
    """Sign with the first of these in the present task and accept all; `create_service` does it for each request."""
    _keys.set(keys)


@contextmanager
def signing(ring: KeyRing) -> Iterator[None]:
    """Sign with the keys of this ring inside the block (for workers and tests)."""
    token = _keys.set(derive_keys(ring))
    try:
        yield
    finally:
        _keys.reset(token)


def _bound(list_name: str, payload: bytes, tenant: UUID | str, filters: Mapping[str, Any] | None) -> bytes:
    """What a cursor signs: its values, and where they hold."""
    bound = orjson.dumps(
        [list_name, str(tenant), dict(filters or {})],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS,
        default=_plain,
    )
    # The length keeps what is bound and what is signed apart.
    return len(bound).to_bytes(4) + bound + payload


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)[:_MAC_BYTES]


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(str(member) for member in value)
    return str(value)


def encode(
    list_name: str,
    values: Sequence[Any],
    *,
    tenant: UUID | str,
    filters: Mapping[str, Any] | None = None,
) -> str:
    """The cursor after an item whose sort values are these (JSON values, UUIDs and dates)."""
    payload = orjson.dumps(list(values))
    signed = _mac(_keys.get()[0], _bound(list_name, payload, tenant, filters)) + payload
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def decode(
    list_name: str,
    cursor: str,
    *,
    tenant: UUID | str,
    filters: Mapping[str, Any] | None = None,
    parameter: str = "cursor",
) -> list[Any]:
    """The sort values in a cursor. Raises InvalidCursor unless `encode` made it for the same list,
    tenant and filters.
    """
    signed = _unpack(cursor)
    if signed is not None:
        mac, payload = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        message = _bound(list_name, payload, tenant, filters)
        if any(hmac.compare_digest(mac, _mac(key, message)) for key in _keys.get()):
            values = orjson.loads(payload)
            if isinstance(values, list):
                return values
    detail = "Take the cursor from `next` of the same list with the same filters, or start without one."
    raise InvalidCursor(detail, errors=[FieldError.in_query(parameter, KitCode.CURSOR_INVALID, detail)])


def _unpack(cursor: str) -> bytes | None:
    """The bytes of a cursor; None when it isn't exactly what base64url would have written."""
    if not cursor or len(cursor) > LONGEST_CURSOR or not cursor.isascii():
        return None
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if base64.urlsafe_b64encode(signed).rstrip(b"=").decode() != cursor or len(signed) <= _MAC_BYTES:
        return None
    return signed
