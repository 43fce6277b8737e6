"""The name of a client on the wire: which trust it belongs to can be read from it."""

import base64
import binascii
from uuid import UUID, uuid5

from kit.ids import NAMESPACE, PLATFORM

_LENGTH = 43


def client_id_of(trust_id: UUID, id_: UUID) -> str:
    """The `client_id` of a client: its trust and its id, so that it is found without searching every trust."""
    return base64.urlsafe_b64encode(trust_id.bytes + id_.bytes).rstrip(b"=").decode()


def service_client(service: str) -> UUID:
    """The id of a service's own client, the same in every installation."""
    return uuid5(NAMESPACE, f"service-client:{service}")


def service_client_id(service: str) -> str:
    """What a service sends as `client_id`."""
    return client_id_of(PLATFORM, service_client(service))


def parse_client_id(client_id: str) -> tuple[UUID, UUID] | None:
    """The trust and the id in a `client_id`; None when it isn't one, to the letter."""
    if len(client_id) != _LENGTH or not client_id.isascii():
        return None
    try:
        raw = base64.b64decode(client_id + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 32:
        return None
    trust_id, id_ = UUID(bytes=raw[:16]), UUID(bytes=raw[16:])
    return (trust_id, id_) if client_id_of(trust_id, id_) == client_id else None
