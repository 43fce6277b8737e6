"""The order of a run on several workers: long tests begin first, so that no worker waits for another's last one."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

import pytest

LONG = ("journey", "slow")

Item = TypeVar("Item")


def is_long(item: pytest.Item) -> bool:
    """Whether a test says that it takes more than a few seconds."""
    return any(item.get_closest_marker(name) for name in LONG)


def long_first(
    items: Sequence[Item], workers: int, *, is_long: Callable[[Item], bool], module: Callable[[Item], object]
) -> list[Item]:
    """The tests with each worker's share of the long ones at the beginning of its share of all.

    Of one module all are one worker's: they share an installation, and would wait for each other. A worker that has
    done its share takes of another's, from the end (`--dist worksteal`).
    """
    long = [item for item in items if is_long(item)]
    rest = iter([item for item in items if not is_long(item)])
    shares: list[list[Item]] = [[] for _ in range(workers)]
    for number, (_, group) in enumerate(groupby(long, key=module)):
        shares[number % workers].extend(group)
    left = len(items)
    for number, share in enumerate(shares):
        size = left // (workers - number)
        while len(share) < size and (item := next(rest, None)) is not None:
            share.append(item)
        left -= size
    return [item for share in shares for item in share] + list(rest)
