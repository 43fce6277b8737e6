"""Which key signs and which are published, over time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.keys.rules import (
    MARGIN,
    PUBLISHED_BEFORE_USE,
    TOKEN_LIFE,
    KeyLife,
    KeyState,
    published,
    rotation_start,
    signing,
    signs_until,
    state_of,
    successor,
)

T0 = datetime(2026, 11, 22, 9, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


FIRST = KeyLife("first", at(0), at(0))
SECOND = KeyLife("second", at(0), at(60))
STANDBY = KeyLife("standby", at(60), None)
KEYS = [FIRST, SECOND, STANDBY]


@pytest.mark.parametrize(
    ("minutes", "first", "second"),
    [
        (0, KeyState.SIGNING, KeyState.PENDING),
        (59.9, KeyState.SIGNING, KeyState.PENDING),
        (60, KeyState.VERIFYING, KeyState.SIGNING),
        (70.9, KeyState.VERIFYING, KeyState.SIGNING),
        (71, KeyState.RETIRED, KeyState.SIGNING),
    ],
)
def test_the_old_key_is_known_until_its_last_token_expired(minutes: float, first: KeyState, second: KeyState) -> None:
    assert state_of(FIRST, KEYS, at(minutes)) is first
    assert state_of(SECOND, KEYS, at(minutes)) is second
    assert state_of(STANDBY, KEYS, at(minutes)) is KeyState.STANDBY
    assert {key.kid for key in published(KEYS, at(minutes))} == {
        "second",
        "standby",
        *(["first"] if first is not KeyState.RETIRED else []),
    }


def test_a_key_is_published_two_minutes_before_it_signs() -> None:
    fresh = KeyLife("fresh", at(60), None)
    assert rotation_start(fresh, [FIRST, fresh], at(60)) == at(62)
    assert rotation_start(fresh, [FIRST, fresh], at(61)) == at(62)
    assert rotation_start(fresh, [FIRST, fresh], at(90)) == at(90)


def test_a_second_rotation_comes_after_the_first() -> None:
    pending = KeyLife("pending", at(0), at(62))
    fresh = KeyLife("fresh", at(60), None)
    assert rotation_start(fresh, [FIRST, pending, fresh], at(60)) > at(62)


def test_a_revoked_key_is_out_at_once_and_the_one_published_first_takes_over() -> None:
    revoked = KeyLife("first", at(0), at(0), revoked_at=at(5))
    pending = KeyLife("pending", at(4), at(6))
    keys = [revoked, pending, KeyLife("standby", at(3), None)]
    assert signing(keys, at(5)) is None
    assert "first" not in {key.kid for key in published(keys, at(5))}
    assert successor(keys, at(5)) == keys[2]


def test_a_key_that_was_revoked_before_it_signed_ends_nobodys_turn() -> None:
    revoked = KeyLife("second", at(0), at(60), revoked_at=at(30))
    assert signs_until(FIRST, [FIRST, revoked]) is None
    assert signing([FIRST, revoked], at(90)) == FIRST


def test_without_keys_nobody_signs() -> None:
    assert signing([], T0) is None
    assert successor([], T0) is None


@given(st.lists(st.integers(0, 120), min_size=1, max_size=6), st.integers(0, 200))
def test_one_key_signs_at_any_time_and_is_published_then_and_before_and_after(
    rotations: list[int], minute: int
) -> None:
    keys = [KeyLife("0", at(0), at(0)), KeyLife("1", at(0), None)]
    for number, moment in enumerate(sorted(rotations), start=1):
        standby = keys[-1]
        start = rotation_start(standby, keys, at(moment))
        keys[-1] = KeyLife(standby.kid, standby.published_at, start)
        keys.append(KeyLife(str(number + 1), at(moment), None))
    known = [key for key in keys if key.published_at <= at(minute)]
    now = signing(known, at(minute))
    assert now is not None
    for key in keys:
        assert key.signs_from is None or key.kid == "0" or key.signs_from >= key.published_at + PUBLISHED_BEFORE_USE
    # Whoever got a token in the last ten minutes can have it verified.
    for seconds in (0, 300, TOKEN_LIFE.total_seconds()):
        then = at(minute) - timedelta(seconds=seconds)
        signer = signing(known, then)
        if signer is not None:
            assert signer in published(known, at(minute))
    assert timedelta() < MARGIN
