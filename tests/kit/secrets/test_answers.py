"""Sealed answers are moved to the newest key, in every trust."""

import pytest

from kit.database.sessions import Context, Database
from kit.events.recording import record_event
from kit.key_ring import KeyRing
from kit.secrets import answers
from kit.secrets.answers import Moved, answer_seal, name_of_answer, reseal_answers
from kit.secrets.sealing import Seal
from tests.support.databases import Clone
from tests.support.feed import NOTED, NoteData
from tests.support.sealing import sealed_before
from tests.support.tokens import OTHER_TRUST, PROSPERE

OLD, NEW = "a" * 32, "b" * 32
BEFORE, ROTATED = (answer_seal(KeyRing.of(keys), "academy") for keys in ([OLD], [NEW, OLD]))
ROUTE = "POST /academy/v1/notes"


async def keep(clone: Clone, trust: object, key: str, body: bytes, *, route: str = ROUTE) -> None:
    """An answer as it lies in the table."""
    async with clone.admin() as connection:
        await connection.execute(
            "insert into academy.idempotency_key values ($1, 'c', $2, $3, '', 201, '{}', $4, now() + interval '1 h')",
            trust,
            route,
            key,
            body,
        )


async def kept(clone: Clone) -> dict[str, bytes]:
    """Every kept body by its key."""
    async with clone.admin() as connection:
        return {row["key"]: row["body"] for row in await connection.fetch("select * from academy.idempotency_key")}


async def known(database: Database, *trusts: object) -> None:
    """Trusts of which the feed knows."""
    for trust in trusts:
        async with database.session(Context(trust, None, "tests")) as session:  # type: ignore[arg-type]
            await record_event(session, NOTED, subject="1", urn=None, data=NoteData(number=1))


async def test_answers_of_every_trust_are_moved(committed_database: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_PAGE", 2)
    database, follower = committed_database.of("academy"), committed_database.of("academy", "follower")
    await known(database, PROSPERE, PROSPERE, OTHER_TRUST)
    names = {}
    for trust, count in ((PROSPERE, 5), (OTHER_TRUST, 1)):
        for number in range(count):
            key = f"{count}-{number}"
            names[key] = name_of_answer(trust, "c", ROUTE, key)
            await keep(committed_database, trust, key, BEFORE.close(names[key], key.encode()))
    await keep(committed_database, PROSPERE, "clear", b'{"name": "not sealed"}')
    await keep(committed_database, PROSPERE, "lost", Seal(KeyRing.of(["c" * 32]), "academy answers").close("x", b"x"))
    assert await reseal_answers(database, follower, ROTATED) == Moved(6, unreadable=1)
    after, newest = await kept(committed_database), answer_seal(KeyRing.of([NEW]), "academy")
    assert after["clear"] == b'{"name": "not sealed"}'
    assert {key: newest.open(name, after[key]) for key, name in names.items()} == {key: key.encode() for key in names}
    assert await reseal_answers(database, follower, ROTATED) == Moved(0, unreadable=1)


async def test_answers_of_before_keys_had_ids_are_moved_where_the_route_says_their_path(
    committed_database: Clone,
) -> None:
    database, follower = committed_database.of("academy"), committed_database.of("academy", "follower")
    await known(database, PROSPERE)
    with_path = "POST /academy/v1/notes/{id}/clear"
    await keep(committed_database, PROSPERE, "k", sealed_before(OLD, "academy answers", "/academy/v1/notes k", b"a"))
    other = sealed_before(OLD, "academy answers", "/academy/v1/notes/7/clear k", b"b")
    await keep(committed_database, PROSPERE, "l", other, route=with_path)
    assert await reseal_answers(database, follower, ROTATED) == Moved(1, unreadable=1)
    after = await kept(committed_database)
    assert ROTATED.open(name_of_answer(PROSPERE, "c", ROUTE, "k"), after["k"]) == b"a"
    assert after["l"] == other
