"""The watermark up to which a reader has seen everything."""

from datetime import timedelta

import pytest

from academy.recording import begin_recording, synced_to
from kit.database.sessions import Context
from kit.ids import PLATFORM
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE

READER = Context(PROSPERE, None, "reader")


async def test_the_watermark_is_below_every_transaction_that_still_writes(committed_database: Clone) -> None:
    readers = committed_database.of("academy")
    async with readers.session(READER) as session:
        before = await synced_to(session)
    async with committed_database.of("academy", "loader").session(Context(PLATFORM, None, "loader")) as loader:
        recorded_first = await begin_recording(loader)
        async with readers.session(Context(OTHER_TRUST, None, "writer")) as writer:
            recorded_next = await begin_recording(writer)
            async with readers.session(READER) as session:
                during = await synced_to(session)
        async with readers.session(READER) as session:
            still = await synced_to(session)
    async with readers.session(READER) as session:
        after = await synced_to(session)
    assert recorded_first < recorded_next
    assert before - timedelta(seconds=1) < during <= recorded_first
    assert still <= recorded_first
    assert after > recorded_next


async def test_writers_that_give_up_hold_nobody_back(committed_database: Clone) -> None:
    database = committed_database.of("academy")
    recorded = None
    with pytest.raises(LookupError):  # noqa: PT012 - the block must be left by an error
        async with database.session(READER) as session:
            recorded = await begin_recording(session)
            raise LookupError
    assert recorded is not None
    async with database.session(READER) as session:
        assert await synced_to(session) > recorded
