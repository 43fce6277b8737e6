"""The disks that an installation writes to: uploads are refused while there is still room for everything else."""

import errno
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kit.problems import InsufficientStorage

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a write fails with when there is no room: on the disk, in a quota of the system, in the limit of a process."""
RETRY_SECONDS = 300
"""A full disk is no matter of a moment."""
SOON_SECONDS = 5
"""What others are storing is stored or refused by then."""


class StorageFull(InsufficientStorage):
    """There is too little space left to take in files; contact the operator."""


class StorageQuotaReached(InsufficientStorage):
    """Your trust's files take all the space that they may; `detail` says when some is freed."""


class _Settings(Protocol):
    @property
    def storage_reserve_bytes(self) -> int: ...
    @property
    def storage_folders(self) -> Mapping[str, Path]: ...


@dataclass(frozen=True, slots=True)
class Disks:
    """The folders that a process writes to, by a name for people, and how many bytes stay free below each.

    Without folders everything is taken.
    """

    reserve_bytes: int = 0
    folders: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: _Settings) -> "Disks":
        """Those of a service: the folders of the settings, and the one for temporary files."""
        try:
            temporary = {"temporary": Path(tempfile.gettempdir())}
        except OSError:
            # Not even an empty file can be made: a write will say so.
            temporary = {}
        return cls(settings.storage_reserve_bytes, {**temporary, **settings.storage_folders})

    def free_bytes(self) -> dict[str, int]:
        """What is left in each folder; without those that can't be looked at."""
        found = {}
        for name, folder in self.folders.items():
            try:
                room = os.statvfs(folder)
            except OSError:
                continue
            found[name] = room.f_bavail * room.f_frsize
        return found

    def has_room(self, coming_bytes: int = 0) -> bool:
        """Whether so many bytes more leave the reserve alone, in each folder."""
        return all(free - coming_bytes >= self.reserve_bytes for free in self.free_bytes().values())

    def check(self, coming_bytes: int = 0, *, others_bytes: int = 0) -> None:
        """Raises StorageFull unless there is room for so many bytes more, beside what others are about to write."""
        if self.has_room(coming_bytes + others_bytes):
            return
        raise full_for_now() if others_bytes and self.has_room(coming_bytes) else full()


def in_megabytes(count: int) -> str:
    """A size as people say it: `2,147.5 MB`."""
    return f"{count / 1e6:,.1f} MB"


def full() -> StorageFull:
    """The problem of a file that there is no room for."""
    return StorageFull(
        "There is too little space left to take in this file. Nothing of it was kept. Contact the operator.",
        retry_after_seconds=RETRY_SECONDS,
    )


def full_for_now() -> StorageFull:
    """The problem of a file that there would be room for, if others weren't being stored."""
    return StorageFull(
        "There is too little space left for this file and for those that are being stored at this moment. Nothing of "
        "it was kept. Send it again in a few seconds.",
        retry_after_seconds=SOON_SECONDS,
    )


class DiskCollector(Collector):
    """Free space and reserve, for Prometheus."""

    def __init__(self, disks: Disks) -> None:
        self._disks = disks

    def collect(self) -> Iterable[Metric]:
        """The numbers of this moment."""
        free = GaugeMetricFamily("trellis_storage_free_bytes", "Space left, by what it is for.", labels=["place"])
        for name, count in self._disks.free_bytes().items():
            free.add_metric([name], count)
        yield free
        reserve = "Uploads are refused when less than this is left."
        yield GaugeMetricFamily("trellis_storage_reserve_bytes", reserve, value=self._disks.reserve_bytes)
