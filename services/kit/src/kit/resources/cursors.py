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

from kit.problems import FieldError, InvalidCursor

_MAC_BYTES = 16
LONGEST_CURSOR = 1024

_key: ContextVar[bytes] = ContextVar("cursor_key")


def derive_key(secret: str) -> bytes:
    """The key that signs cursors, derived from the deployment's secret."""
    return hmac.digest(secret.encode(), b"trellis cursors v1", hashlib.sha256)


def use_key(key: bytes) -> None:
    """Sign with this key in the present task; `create_service` does it for each request."""
    _key.set(key)


@contextmanager
def signing(secret: str) -> Iterator[None]:
    """Sign with the key of this secret inside the block (for workers and tests)."""
    token = _key.set(derive_key(secret))
    try:
        yield
    finally:
        _key.reset(token)


def _mac(list_name: str, payload: bytes, tenant: UUID | str, filters: Mapping[str, Any] | None) -> bytes:
    bound = orjson.dumps(
        [list_name, str(tenant), dict(filters or {})],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS,
        default=_plain,
    )
    # The length keeps what is bound and what is signed apart.
    message = len(bound).to_bytes(4) + bound + payload
    return hmac.digest(_key.get(), message, hashlib.sha256)[:_MAC_BYTES]


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
    signed = _mac(list_name, payload, tenant, filters) + payload
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
        if hmac.compare_digest(mac, _mac(list_name, payload, tenant, filters)):
            values = orjson.loads(payload)
            if isinstance(values, list):
                return values
    detail = "Take the cursor from `next` of the same list with the same filters, or start without one."
    raise InvalidCursor(detail, errors=[FieldError.in_query(parameter, "cursor_invalid", detail)])


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
