"""Kept answers that hold secrets or what a person wrote: sealed in `idempotency_key`, and moved to the newest key.

A stolen backup must not hold the secrets of the last two days.
"""

from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import text

from kit.database.sessions import Context, Database
from kit.key_ring import KeyRing, answers_of
from kit.secrets.sealing import Seal, SealBroken, is_of_before

SUBJECT = "command:trellis-keys"
_PAGE = 200

# One step of the primary key per trust, however many events there are. Every kept answer had an effect, and every
# effect records an event of its trust.
_TRUSTS = text(
    """
    with recursive known as (
        (select trust_id from event order by trust_id limit 1)
        union all
        select (select e.trust_id from event e where e.trust_id > k.trust_id order by e.trust_id limit 1)
        from known k where k.trust_id is not null
    )
    select trust_id from known where trust_id is not null
    """
)
# The first byte says that a body is sealed, and how.
_SEALED = text(
    """
    select client, route, key, body from idempotency_key
    where substring(body from 1 for 1) in ('\\x01', '\\x02') and expires_at > now()
        and (client, route, key) > (:client, :route, :key)
    order by client, route, key limit :page for update
    """
)
_MOVE = text(
    "update idempotency_key set body = :body"
    " where trust_id = :trust_id and client = :client and route = :route and key = :key"
)


@dataclass(frozen=True, slots=True)
class Moved:
    """How much was moved to the newest key, and how much nobody could open."""

    moved: int = 0
    unreadable: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.moved + other.moved, self.unreadable + other.unreadable)


def answer_seal(ring: KeyRing, service: str) -> Seal:
    """What seals the kept answers of a service."""
    return Seal(ring, answers_of(service))


def name_of_answer(trust_id: UUID, client: str, route: str, key: str) -> str:
    """The name under which an answer is sealed: all of its row's key, so that it opens in no other row."""
    return orjson.dumps([str(trust_id), client, route, key]).decode()


async def reseal_answers(database: Database, follower: Database, seal: Seal) -> Moved:
    """Move every sealed answer of a service to the newest key.

    `follower` reads events across trusts, and so knows which trusts there are. Answers of before keys had ids can be
    moved only where the route has no parameters; the others expire within two days.
    """
    async with follower.session(Context(UUID(int=0), frozenset(), SUBJECT)) as session:
        trusts: list[UUID] = list((await session.execute(_TRUSTS)).scalars())
    done = Moved()
    for trust_id in trusts:
        done += await _reseal_trust(database, trust_id, seal)
    return done


async def _reseal_trust(database: Database, trust_id: UUID, seal: Seal) -> Moved:
    done = Moved()
    last = {"client": "", "route": "", "key": ""}
    while True:
        async with database.session(Context(trust_id, None, SUBJECT)) as session:
            rows = (await session.execute(_SEALED, {**last, "page": _PAGE})).all()
            for client, route, key, body in rows:
                last = {"client": client, "route": route, "key": key}
                sealed = bytes(body)
                if seal.is_newest(sealed):
                    continue
                name = name_of_answer(trust_id, client, route, key)
                try:
                    plain = seal.open(_old_name(route, key) if is_of_before(sealed) else name, sealed)
                except SealBroken:
                    done += Moved(unreadable=1)
                    continue
                await session.execute(_MOVE, {**last, "trust_id": trust_id, "body": seal.close(name, plain)})
                done += Moved(moved=1)
        if len(rows) < _PAGE:
            return done


def _old_name(route: str, key: str) -> str:
    """The name of an answer of before keys had ids: path and key."""
    return f"{route.partition(' ')[2]} {key}"
