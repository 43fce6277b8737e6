"""Long computations that let others run."""

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest

from kit import steps
from kit.steps import in_steps

WORK_SECONDS = 0.002


def working(times: int, worked: list[str], name: str = "one") -> Iterator[int]:
    """Numbers, each of which costs a little."""
    for number in range(times):
        until = time.thread_time() + WORK_SECONDS
        while time.thread_time() < until:
            pass
        worked.append(name)
        yield number


async def test_all_that_is_made_comes_in_its_order() -> None:
    assert await in_steps(iter(range(1000))) == list(range(1000))
    assert await in_steps([]) == []


async def test_others_run_between_two_steps_however_many_compute() -> None:
    worked: list[str] = []
    beside: list[int] = []

    async def count() -> None:
        while True:
            beside.append(len(worked))
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(in_steps(working(12, worked, str(one))) for one in range(4)))
    counting.cancel()
    assert len(worked) == 48
    # Never more than one step of one of them: three things, since the third passes the end of the step.
    most = max(after - before for before, after in itertools.pairwise(beside))
    assert most <= 3


async def test_who_computes_longest_doesnt_go_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "STEP_SECONDS", 0.0)
    worked: list[str] = []
    long = asyncio.create_task(in_steps(working(20, worked, "long")))
    await asyncio.sleep(0)
    await in_steps(working(3, worked, "short"))
    assert len([name for name in worked if name == "long"]) <= 6
    await long


async def test_what_is_raised_lets_the_next_one_go_on() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_steps(1 // number for number in (1, 0))
    assert await in_steps([1]) == [1]
