"""Links end with their maker's right, as the service knows it from identity's feed."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from academy.definition import ACADEMY
from kit.database.sessions import Context, Session
from kit.events.holders import ENDS, GRANT, HOLDER, HolderEnded
from kit.key_ring import KeyRing
from kit.links.holders import is_held, on_holder_ended
from kit.links.tables import SharedLink
from kit.links.tokens import new_token, secret_of
from kit.people.declared import ERASED
from kit.workers.following import followed_by
from tests.support.clients import SECRET_KEY
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST, PROSPERE

TODAY = date(2025, 10, 1)
NOW = datetime(2025, 10, 1, 12, tzinfo=UTC)
MAKER = f"person:{uuid4()}"


async def add_grant(session: Session, *, is_active: bool = True, **values: Any) -> UUID:
    """A grant of the maker, as the follower keeps it."""
    row = {
        "trust_id": PROSPERE,
        "id": uuid4(),
        "holder": MAKER,
        "role": "trustee",
        "extent": "trust",
        "academies": None,
        "starts_on": date(2025, 9, 1),
        "ends_on": None,
        "is_ended": False,
        **values,
    }
    await GRANT.put(session, "a", [row])
    await HOLDER.put(session, "a", [{"trust_id": PROSPERE, "holder": MAKER, "is_active": is_active}])
    return UUID(str(row["id"]))


def _of(urn: int, **values: Any) -> dict[str, Any]:
    return {"role": "headteacher", "extent": "academies", "academies": [urn], **values}


async def add_link(session: Session, **values: Any) -> SharedLink:
    """A link of the maker, made as a trustee."""
    link = SharedLink(
        **{
            "trust_id": PROSPERE,
            "id": uuid4(),
            "token_sha256": secret_of(new_token(PROSPERE)).sha256,
            "resource": "rag-changes",
            "parameters": {},
            "expires_on": date(2025, 12, 31),
            "created_at": NOW,
            "created_by": MAKER,
            "roles": ["trustee"],
            "scopes": ["ratings:read"],
            "leads": [],
            "projects": [],
            **values,
        }
    )
    session.add(link)
    await session.flush()
    return link


async def ends(session: Session, *links: SharedLink) -> list[datetime | None]:
    """When each ended, as it is stored."""
    for link in links:
        await session.refresh(link)
    return [link.ended_at for link in links]


@pytest.mark.parametrize(
    ("grant", "held"),
    [
        ({}, True),
        ({"ends_on": TODAY}, True),
        ({"ends_on": date(2025, 9, 30)}, False),
        ({"starts_on": date(2025, 10, 2)}, False),
        ({"is_ended": True}, False),
        ({"is_active": False}, False),
        # Another right of the same person is another right.
        ({"role": "headteacher"}, False),
        # One whose grants aren't known here.
        ({"holder": "person:somebody-else"}, True),
    ],
)
async def test_a_link_counts_while_its_maker_has_the_right(
    database: Sandbox, grant: dict[str, Any], held: bool
) -> None:
    async with database.of("academy").session(Context(PROSPERE, None, "x")) as session:
        await add_grant(session, **grant)
        assert await is_held(session, await add_link(session), TODAY) is held


async def test_a_link_of_somebody_who_was_erased_shows_nothing(database: Sandbox) -> None:
    """Their pseudonym holds no grant, and isn't somebody who is new here."""
    async with database.of("academy").session(Context(PROSPERE, None, "x")) as session:
        link = await add_link(session, created_by=f"{ERASED}{'0' * 32}")
        assert not await is_held(session, link, TODAY)


PAST = {"ends_on": date(2025, 9, 30)}
BOTH = {"roles": ["headteacher", "trustee"]}
FOR_TWO = {"roles": ["headteacher"], "sees_academies": [100001, 100002]}


@pytest.mark.parametrize(
    ("link", "grants", "held"),
    [
        (BOTH, [{"role": "headteacher"}, {}], True),
        # Nothing announces that a last day is over: what is left must cover what the link shows.
        (BOTH, [{"role": "headteacher"}, PAST], False),
        (FOR_TWO, [_of(100001), _of(100002)], True),
        (FOR_TWO, [_of(100001), _of(100002, **PAST)], False),
        (FOR_TWO, [_of(100001), _of(100002), {"role": "trustee"}], True),
        (FOR_TWO, [{"role": "headteacher"}], True),
        ({"roles": ["headteacher"]}, [_of(100001), _of(100002)], False),
        # A project shows no academy.
        ({"roles": ["researcher"], "sees_academies": []}, [{"role": "researcher", "extent": "project"}], True),
        ({"roles": []}, [PAST], False),
    ],
)
async def test_a_link_counts_while_its_maker_has_each_role_for_all_that_it_shows(
    database: Sandbox, link: dict[str, Any], grants: list[dict[str, Any]], held: bool
) -> None:
    async with database.of("academy").session(Context(PROSPERE, None, "x")) as session:
        for grant in grants:
            await add_grant(session, **grant)
        assert await is_held(session, await add_link(session, **link), TODAY) is held


async def test_the_end_of_a_right_ends_what_was_made_with_it(database: Sandbox) -> None:
    async with database.of("academy").session(Context(PROSPERE, None, "x")) as session:
        grant = await add_grant(session)
        as_trustee, as_head = await add_link(session), await add_link(session, roles=["headteacher"])
        of_another = await add_link(session, created_by="person:other")
        links = (as_trustee, as_head, of_another)
        await on_holder_ended(session, HolderEnded(PROSPERE, MAKER, grant, NOW))
        assert await ends(session, *links) == [NOW, None, None]
        await on_holder_ended(session, HolderEnded(OTHER_TRUST, MAKER, None, NOW))
        assert await ends(session, *links) == [NOW, None, None]
        await on_holder_ended(session, HolderEnded(PROSPERE, MAKER, None, NOW))
        assert await ends(session, *links) == [NOW, NOW, None]


def test_academy_ends_links_when_a_right_ends() -> None:
    assert on_holder_ended in ACADEMY.named("followers", "on_holder_ended")
    assert ENDS in {one.consumer for one in followed_by(ACADEMY, KeyRing.of([SECRET_KEY]))}
