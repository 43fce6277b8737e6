"""Where followers read."""

import pytest

from kit.calls.errors import CalleeUnavailable
from kit.events.feed import FeedRestarted
from kit.events.sources import OwnSource
from tests.support.clients import settings_of
from tests.support.feed import raise_epoch
from tests.support.following import SECRET
from tests.support.notes import MODEL, NoteData, World
from tests.support.tokens import OTHER_TRUST


async def test_the_services_own_feed_is_followed_without_http(world: World) -> None:
    await world.note(1)
    await world.note(2, trust=OTHER_TRUST)
    settings = settings_of("academy", world.clone.url("academy_app"))
    source = OwnSource(settings, world.clone.of("academy", "follower"), MODEL.types)
    page = await source.page(None, 10, 0.0)
    assert [event.read(NoteData).number for event in page.items] == [1, 2]
    assert (await source.page(page.next, 10, 0.0)).items == []
    await raise_epoch(world.clone.admin_url, ["academy"])
    for cursor in (page.next, "c29tZSBwbGFjZQ"):
        with pytest.raises(FeedRestarted):
            await source.page(cursor, 10, 0.0)


async def test_without_a_right_to_follow_nothing_is_read(world: World) -> None:
    async with world.clone.admin() as admin:
        await admin.execute("update identity.role_grant set ended_at = now(), ended_by = 'x' where role = 'follower'")
    with pytest.raises(Exception, match="identity: ") as refused:
        await world.follower().step()
    assert not isinstance(refused.value, CalleeUnavailable)
    assert SECRET not in str(refused.value)
