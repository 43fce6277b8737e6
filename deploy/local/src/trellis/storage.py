"""How much room an installation has, and how much the files of imports take: for `trellis status`."""

from collections.abc import Mapping
from dataclasses import dataclass

from kit.disks import Disks
from trellis.installation import Installation
from trellis.pg_tools import rows
from trellis.settings import storage_of

_KEPT = (
    "select coalesce(sum(bytes), 0), coalesce(max(bytes), 0) from (select sum(i.size_bytes) as bytes"
    " from academy.import i where exists (select from academy.import_chunk c"
    " where c.trust_id = i.trust_id and c.import_id = i.id and c.number = 0) group by i.trust_id) of_trusts"
)


@dataclass(frozen=True, slots=True)
class Storage:
    """The room of an installation, in bytes."""

    free_bytes: Mapping[str, int]
    """By what a folder is for; of a database elsewhere nothing is known."""
    reserve_bytes: int
    kept_bytes: int | None
    """What the files of imports take until they are deleted; None when the database can't say."""
    most_of_one_trust_bytes: int | None

    def in_words(self) -> str:
        """The same in a line or two."""
        free = ", ".join(f"{name} {_in_gigabytes(count)}" for name, count in self.free_bytes.items())
        lines = [f"free: {free}; uploads are refused below {_in_gigabytes(self.reserve_bytes)}"]
        if self.kept_bytes is not None and self.most_of_one_trust_bytes is not None:
            most = _in_gigabytes(self.most_of_one_trust_bytes)
            lines.append(f"kept files of imports: {_in_gigabytes(self.kept_bytes)}, at most {most} of one trust")
        return "\n".join(lines)


def look(installation: Installation) -> Storage:
    """The room of this moment."""
    disks = Disks(installation.settings.storage_reserve_bytes, storage_of(installation.settings))
    kept, most = _kept(installation) or (None, None)
    return Storage(disks.free_bytes(), disks.reserve_bytes, kept, most)


def _kept(installation: Installation) -> tuple[int, int] | None:
    found = rows(installation.migrator_url, _KEPT)
    if found is None:
        return None
    kept, most = found[0]
    return int(kept), int(most)


def _in_gigabytes(count: int) -> str:
    return f"{count / 1e9:,.2f} GB"
