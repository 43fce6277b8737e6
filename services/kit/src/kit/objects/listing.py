"""One object of a store, as it is listed."""

from dataclasses import dataclass
from datetime import datetime

from kit.objects.keys import ObjectKey


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object: how large it is and when it was last written (UTC)."""

    key: ObjectKey
    size_bytes: int
    written_at: datetime
