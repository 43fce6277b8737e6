"""One clock for the house."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from kit import clock


@pytest.fixture
def moved() -> Iterator[timedelta]:
    """The clock of this process, sixty days on."""
    by = timedelta(days=60)
    clock.move(by)
    yield by
    clock.move(timedelta(0))


def test_now_is_now_in_utc() -> None:
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert clock.now().tzinfo is UTC


def test_frozen_clock_stands_still_and_goes_on_afterwards() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    with clock.frozen(at) as stopped:
        assert clock.now() == stopped == at
        assert clock.now().tzinfo is UTC
        with clock.frozen(at + timedelta(days=1)):
            assert clock.now() == at + timedelta(days=1)
        assert clock.now() == at
    assert clock.now() > datetime(2026, 3, 2, tzinfo=UTC)


def test_clock_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"), clock.frozen(datetime(2026, 3, 1)):  # noqa: DTZ001 - that is the point
        pass


async def test_clock_is_frozen_for_the_task_and_its_own() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)

    async def read() -> datetime:
        return clock.now()

    with clock.frozen(at):
        assert await asyncio.create_task(read()) == at
    assert await asyncio.create_task(read()) != at


def test_a_moved_clock_goes_on_at_another_time(moved: timedelta) -> None:
    machine = datetime.now(UTC)
    assert timedelta(0) <= clock.now() - (machine + moved) < timedelta(seconds=1)
    assert timedelta(0) <= clock.machine_now() - machine < timedelta(seconds=1)
    assert clock.on_machine(machine + moved) == machine
    assert clock.offset() == moved


def test_a_frozen_clock_isnt_moved(moved: timedelta) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock.frozen(at):
        assert clock.now() == at
        assert clock.machine_now() == at - moved
    assert clock.now() > datetime.now(UTC) + moved - timedelta(seconds=1)
