"""What a token request says, read to the letter of RFC 6749: nothing twice, nothing guessed."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from gateway.identity.tokens.errors import ClientUnknown, RequestMalformed

_LONGEST: Final[Mapping[str, int]] = {
    "grant_type": 100,
    "client_id": 255,
    "client_secret": 200,
    "scope": 2000,
    "role": 80,
    "trust": 36,
    "subject_token": 16384,
    "subject_token_type": 100,
    "requested_token_type": 100,
    "actor_token": 16384,
    "actor_token_type": 100,
    "audience": 255,
    "resource": 2000,
}
_MOST_FIELDS: Final = 50


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request; what was sent empty was not sent (RFC 6749, 3.2)."""

    fields: Mapping[str, str]
    client_id: str
    client_secret: str | None

    def get(self, name: str) -> str | None:
        """One parameter; None when it wasn't sent."""
        return self.fields.get(name)


def read_request(body: bytes, authorization: Sequence[str]) -> TokenRequest:
    """The request in a form and its `Authorization` headers.

    Raises RequestMalformed, and ClientUnknown when no client says who it is.
    """
    fields = _fields(body)
    if len(authorization) > 1:
        raise RequestMalformed("Send one Authorization header.")
    client_id, client_secret = fields.get("client_id"), fields.get("client_secret")
    if authorization:
        if client_secret is not None:
            raise RequestMalformed("Send the secret once: by HTTP Basic or in the form.")
        name, client_secret = _basic(authorization[0])
        if client_id is not None and client_id != name:
            raise RequestMalformed("Two clients are named.")
        client_id = name
    if client_id is None:
        raise ClientUnknown("Say which client you are, by HTTP Basic or as client_id.")
    return TokenRequest(fields, client_id, client_secret)


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RequestMalformed("The form can't be read.") from None
    fields: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name not in _LONGEST:
            # Unknown parameters are ignored (RFC 6749, 3.2).
            continue
        if name in seen:
            raise RequestMalformed(f"{name} is sent twice.")
        seen.add(name)
        if len(value) > _LONGEST[name] or not value.isprintable():
            raise RequestMalformed(f"{name} can't be like that.")
        if value:
            fields[name] = value
    return fields


def _basic(header: str) -> tuple[str, str | None]:
    """The client's name and secret in a Basic header, each form-encoded within (RFC 6749, 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise ClientUnknown("A client says who it is by HTTP Basic or in the form.")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(" "), validate=True).partition(b":")
        client_id, client_secret = _form_decoded(name), _form_decoded(secret)
    except (binascii.Error, ValueError):
        raise ClientUnknown("The Authorization header can't be read.") from None
    too_long = len(client_id) > _LONGEST["client_id"] or len(client_secret) > _LONGEST["client_secret"]
    if not colon or not client_id or too_long:
        raise ClientUnknown("The Authorization header can't be read.")
    return client_id, client_secret or None


def _form_decoded(part: bytes) -> str:
    text = unquote_to_bytes(part.replace(b"+", b" ")).decode()
    if not text.isprintable():
        raise ValueError("control characters")
    return text
