"""Answers that are kept with their ETag: what did not change is not sent again. Each use asks the callee first."""

from collections import OrderedDict
from dataclasses import dataclass

MOST_ANSWERS = 256
MOST_BYTES = 8 * 1024 * 1024
LARGEST_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer."""

    etag: str
    content: bytes


class AnswerCache:
    """Answers by view and URL; the one that wasn't used for longest goes first."""

    def __init__(self, *, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._bytes = 0

    def get(self, view: str, url: str) -> Kept | None:
        """What this view was shown last."""
        found = self._kept.get((view, url))
        if found is not None:
            self._kept.move_to_end((view, url))
        return found

    def put(self, view: str, url: str, kept: Kept) -> None:
        """Keep an answer; too large a one isn't kept."""
        self.drop(view, url)
        if len(kept.content) > min(LARGEST_ANSWER, self._most_bytes):
            return
        self._kept[view, url] = kept
        self._bytes += len(kept.content)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.content)

    def drop(self, view: str, url: str) -> None:
        """Forget one answer."""
        gone = self._kept.pop((view, url), None)
        if gone is not None:
            self._bytes -= len(gone.content)
