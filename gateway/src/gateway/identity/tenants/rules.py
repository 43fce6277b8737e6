"""How a trust can be named in a path, a query or a form."""

import re
from uuid import UUID

_GROUP_UID = re.compile(r"[0-9]{1,10}")
_GROUP_ID = re.compile(r"TR[0-9]{5,6}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def trust_reference(text: str) -> tuple[str, str] | UUID | None:
    """Which trust is meant: its id, or the column and the value that name it; None when it is no reference."""
    if _GROUP_UID.fullmatch(text):
        return ("group_uid", text)
    if _GROUP_ID.fullmatch(text):
        return ("group_id", text.upper())
    return UUID(text) if _UUID.fullmatch(text) else None
