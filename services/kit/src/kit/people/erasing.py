"""Erasing a person from a service, once identity has announced that they were erased.

The follower of ended rights does it, after everything that hangs on the person's rights has ended: one transaction
with its cursor, so that a process that is killed leaves it to the next. A token that the person still had may write
for a while: a job looks again when no such token can be left.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from kit import clock
from kit.database.sessions import Context, Session, context_of_session, set_context
from kit.events.holders import HolderEnded, OnHolderEnded
from kit.events.recording import EventType, record_event
from kit.jobs.queue import defer
from kit.jobs.tasks import JobRun, Tasks
from kit.key_ring import PEOPLE, KeyRing
from kit.people.declared import ERASED, PersonalTable
from kit.people.events import PersonDataErased
from kit.people.queries import erase_rows, subject_of
from kit.secrets.digests import Digests
from kit.settings import ServiceSettings

LATEST_TOKEN: Final = timedelta(hours=1)
"""After so long no token of an erased person counts any more."""

_PERSON: Final = "person:"


def pseudonym_of(ring: KeyRing, trust_id: UUID, person_id: UUID) -> str:
    """What stands for an erased person: always the same, and nobody can work it out without the secret key."""
    digest = Digests(ring, PEOPLE).of("person", str(trust_id), str(person_id))
    return f"{ERASED}{digest.hex()[:32]}"


async def erase_person_data(
    session: Session,
    tables: Sequence[PersonalTable],
    event_type: EventType,
    ring: KeyRing,
    *,
    trust_id: UUID,
    person_id: UUID,
    is_first: bool = True,
) -> int:
    """Replace or delete what these tables hold of a person, and announce it; gives how many rows were changed.

    A repetition changes nothing. It announces only what it found: rows that were written late.
    """
    before = context_of_session(session)
    # What the person alone could see is found too.
    await set_context(session, Context(trust_id, None, subject_of(person_id), pupils=True))
    pseudonym = pseudonym_of(ring, trust_id, person_id)
    counts = {table.name: await erase_rows(session, table, trust_id, person_id, pseudonym) for table in tables}
    changed = {name: count for name, count in counts.items() if count}
    if changed or is_first:
        data = PersonDataErased(person_id=person_id, tables=changed)
        await record_event(session, event_type, subject=f"people/{person_id}", urn=None, data=data, tenant_id=trust_id)
    await set_context(session, before)
    return sum(changed.values())


def erasing(service: str, tables: Sequence[PersonalTable], event_type: EventType, ring: KeyRing) -> OnHolderEnded:
    """What a service's follower does, as the last, when a person's rights have all ended."""

    async def on_holder_ended(session: Session, ended: HolderEnded) -> None:
        """Erase the person now, and once more when none of their tokens can be left."""
        if ended.grant_id is not None or not ended.holder.startswith(_PERSON):
            return
        person_id = UUID(ended.holder.removeprefix(_PERSON))
        await erase_person_data(session, tables, event_type, ring, trust_id=ended.trust_id, person_id=person_id)
        at = clock.now() + LATEST_TOKEN
        await defer(session, task_name(service), at=at, trust_id=ended.trust_id, person_id=person_id)

    return on_holder_ended


def task_name(service: str) -> str:
    """The task that looks again."""
    return f"{service}.people.erase_late"


def erasing_late(service: str, tables: Sequence[PersonalTable], event_type: EventType) -> Tasks:
    """The task of a service that erases what was written late."""
    tasks = Tasks()

    @tasks.task(task_name(service))
    async def erase_late(job: JobRun, trust_id: UUID, person_id: UUID) -> None:
        """Erase what a token wrote that outlived its person."""
        ring = ServiceSettings.for_service(service).key_ring
        async with job.database.session(Context(trust_id, None, task_name(service))) as session:
            await job.fence(session)
            await erase_person_data(
                session, tables, event_type, ring, trust_id=trust_id, person_id=person_id, is_first=False
            )

    return tasks
