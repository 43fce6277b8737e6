"""The secret of a link, until when it counts, and the feeds that it shows."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import feedparser
import pytest

from kit.ids import PLATFORM
from kit.links.atom import Entry, atom_feed
from kit.links.rules import day_of, has_expired, may_expire_on
from kit.links.tokens import new_token, secret_of
from kit.telemetry.logs import masked_path, scrubbed
from sector.days import day_in_london
from tests.support.tokens import PROSPERE

NOON = datetime(2025, 10, 1, 12, tzinfo=UTC)


def test_a_token_says_where_it_is_looked_for_and_nothing_else() -> None:
    token, other = new_token(PROSPERE), new_token(PROSPERE)
    assert token != other
    assert len(token) == 64
    assert secret_of(token).trust_id == PROSPERE
    assert secret_of(token).sha256 != secret_of(other).sha256
    assert token.encode() not in secret_of(token).sha256


@pytest.mark.parametrize("token", ["", "x", "A" * 63, "A" * 65, "A" * 63 + "=", "A" * 63 + "\n", "\u0661" * 64])
def test_what_is_no_token_is_looked_for_where_nothing_is(token: str) -> None:
    assert secret_of(token).trust_id == PLATFORM


def test_a_link_ends_with_its_day_in_london() -> None:
    last = date(2025, 10, 1)
    assert not has_expired(last, datetime(2025, 10, 1, 22, 59, 59, tzinfo=UTC))
    assert has_expired(last, datetime(2025, 10, 1, 23, 0, tzinfo=UTC))
    in_winter = date(2025, 12, 1)
    assert not has_expired(in_winter, datetime(2025, 12, 1, 23, 59, 59, tzinfo=UTC))
    assert has_expired(in_winter, datetime(2025, 12, 2, tzinfo=UTC))


def test_the_last_day_is_today_at_the_earliest_and_400_days_ahead_at_the_latest() -> None:
    today = date(2025, 10, 1)
    for days, fits in ((-1, False), (0, True), (400, True), (401, False)):
        assert may_expire_on(today + timedelta(days=days), NOON) is fits


def test_the_days_of_links_are_those_of_schools() -> None:
    for hours in range(0, 400 * 24, 5):
        instant = NOON + timedelta(hours=hours)
        assert day_of(instant) == day_in_london(instant)


def test_no_log_shows_a_token() -> None:
    token = new_token(PROSPERE)
    for path in (f"/academy/v1/shared/{token}", f"/academy/v1/Shared/{token}?x=1", f"/academy/v1/shared/{token}/more"):
        assert token not in masked_path(path)
        assert token not in scrubbed(f"GET {path} failed")
    assert masked_path("/academy/v1/ratings") == "/academy/v1/ratings"


def test_a_feed_is_valid_atom_whatever_its_texts_hold() -> None:
    id_ = uuid4()
    entry = Entry(id_, "A & B <School>: \x0bamber to green", "x\x00]]>&amp;", NOON, "rated")
    body = atom_feed(PROSPERE, title="T", author="A", made_at=NOON - timedelta(days=1), entries=[entry])
    read = feedparser.parse(body)
    assert not read.bozo
    assert read.version == "atom10"
    assert (read.feed.id, read.feed.updated) == (PROSPERE.urn, "2025-10-01T12:00:00Z")
    assert (read.entries[0].id, read.entries[0].title) == (id_.urn, "A & B <School>: amber to green")
    empty = feedparser.parse(atom_feed(PROSPERE, title="T", author="A", made_at=NOON, entries=[]))
    assert (empty.bozo, empty.feed.updated, empty.entries) == (False, "2025-10-01T12:00:00Z", [])
