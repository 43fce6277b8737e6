"""Ids that sort, and ids that services agree on."""

import time

import pytest

from kit import ids


def test_new_ids_sort_in_the_order_of_their_making() -> None:
    made = [ids.uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_new_id_carries_its_time_version_and_variant() -> None:
    before = time.time_ns() // 1_000_000
    made = ids.uuid7()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= after + 20


def test_clock_that_runs_backwards_does_not_unsort(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids.uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000)
    assert ids.uuid7() > first


def test_trusts_have_the_same_id_everywhere() -> None:
    """Fixed for ever: tokens, rows and events of every deployment hold them."""
    assert str(ids.tenant_id("gias-group:16846")) == "31fc5130-4f84-5746-a144-c8bc2fbe7808"
    assert str(ids.PLATFORM) == "0cf9d24a-ade2-57b7-97c4-4520de6b5502"
    assert ids.tenant_id("gias-group:16846") != ids.tenant_id("gias-group:16847")
