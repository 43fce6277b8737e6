"""How often, how long, and what `Retry-After` says."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from kit import clock as house_clock
from kit.calls.retrying import RetryPolicy, retry_after
from tests.conftest import Clock


@pytest.mark.parametrize("tries", range(1, 12))
def test_a_pause_doubles_up_to_a_limit_and_is_never_the_same_for_all(tries: int) -> None:
    policy = RetryPolicy(first_pause=0.1, longest_pause=2.0)
    longest = min(0.1 * 2 ** (tries - 1), 2.0)
    pauses = {policy.pause(tries) for _ in range(50)}
    assert all(longest / 2 <= pause <= longest for pause in pauses)
    assert len(pauses) > 1


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), (" 0 ", 0.0), (None, None), ("", None), ("soon", None), ("-1", None)]
)
def test_retry_after_in_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_retry_after_as_a_date(clock: Clock) -> None:
    then = format_datetime(house_clock.now() + timedelta(seconds=90), usegmt=True)
    assert retry_after(then) == 90.0
    clock.advance(minutes=5)
    assert retry_after(then) == 0.0
