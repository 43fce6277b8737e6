"""States as data: each thing that has states has one table of who may move it from which state to which.

    VISITS = States(
        "visit",
        initial="planned",
        facts=VisitFacts.of,
        transitions=(
            Transition("create", (), "planned", "Plan a visit", by=("chief-executive",), event=CREATED),
            Transition("change", ("planned",), "planned", "Change", by=("chief-executive",), event=CHANGED),
            Transition("hold", ("planned",), "held", "Hold", by=("chief-executive", own("headteacher")), event=HELD),
        ),
    )

From it come the check of a request (409 `transition-not-allowed` with what is allowed), the version, the record with
its reason, the event, `actions` on every answer (what this caller may do with this thing now), and the page
`docs/states.md`. `create` leads from nothing to the initial state; `change` is the thing's PATCH.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import text

from kit import clock
from kit.database.sessions import Session, context_of_session
from kit.etags import check_if_match
from kit.events.recording import EventType, record_event
from kit.field_codes import KitCode
from kit.identity.callers import Caller
from kit.identity.reach import check_whole_trust
from kit.ids import uuid7
from kit.problems import Conflict, FieldError, Forbidden, InvalidRequest, Problem
from kit.resources.changes import ChangeOut, FieldChangeOut, moved_days

Thing = TypeVar("Thing")

Guard = Callable[[Any, Caller], Problem | None]
"""A further condition: gives the problem when it isn't met. Its docstring stands in `docs/states.md`."""


class TransitionNotAllowed(Conflict):
    """The state that it is in doesn't allow this; `allowed` names what you may do."""


class RoleMayNot(Forbidden):
    """None of your roles may do this here."""


class ReasonMissing(InvalidRequest):
    """This needs a reason."""


CREATE = "create"
SERVICE = "service"
"""The role of a change that nobody made: the service itself did, by a rule or a date."""


class Which(StrEnum):
    """Which academies' things a role may move, beside those that its grant covers."""

    ANY = "any"
    OWN = "own"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Actor:
    """Holders of a role: for any academy, only for their own (that they lead), or never for their own."""

    role: str
    which: Which = Which.ANY

    def may(self, caller: Caller, urn: int | None) -> bool:
        """May this caller act, as far as role and academy go?"""
        if self.role not in caller.roles:
            return False
        leads = urn is not None and urn in caller.leads
        return self.which is Which.ANY or leads is (self.which is Which.OWN)


def own(role: str) -> Actor:
    """Holders of the role, for an academy that they lead."""
    return Actor(role, Which.OWN)


def others(role: str) -> Actor:
    """Holders of the role, unless they lead the academy."""
    return Actor(role, Which.OTHERS)


def _actors(by: Sequence[str | Actor]) -> tuple[Actor, ...]:
    return tuple(Actor(actor) if isinstance(actor, str) else actor for actor in by)


def acting_role(caller: Caller, by: Sequence[str | Actor], urn: int | None = None) -> str | None:
    """The role in which this caller acts: the first of these that it holds; None when it holds none."""
    return next((actor.role for actor in _actors(by) if actor.may(caller, urn)), None)


class Transition:
    """One verb: from which states to which, who may, and what else must hold. Without `by` only the service itself."""

    def __init__(
        self,
        verb: str,
        sources: Sequence[str],
        target: str,
        title: str,
        *,
        by: Sequence[str | Actor] = (),
        needs_reason: bool = False,
        guards: Sequence[Guard] = (),
        event: EventType | None = None,
    ) -> None:
        self.verb = verb
        self.sources = tuple(sources)
        self.target = target
        self.title = title
        self.by = _actors(by)
        self.needs_reason = needs_reason
        self.guards = tuple(guards)
        self.event = event


class ActionOut(BaseModel):
    """An action that you may take on this resource now: `POST` to its path followed by the verb, or its own `PATCH`."""

    verb: str = Field(
        description="The last part of the path. `change` stands for `PATCH` on the resource.", examples=["withdraw"]
    )
    title: str = Field(description="A word for a button.", examples=["Withdraw"])
    needs_reason: bool = Field(description="Whether a `reason` must be given.", examples=[False])


@dataclass(frozen=True, slots=True)
class Taken:
    """A transition that may happen, and the role in which the caller takes it; None for the service itself."""

    transition: Transition
    as_role: str | None


@dataclass(frozen=True, slots=True)
class Refusals:
    """The problems of one kind of thing: its state doesn't allow it, none of the caller's roles may."""

    state: type[TransitionNotAllowed] = TransitionNotAllowed
    role: type[Forbidden] = RoleMayNot


class States(Generic[Thing]):
    """The states of one kind of thing.

    A thing has `state`, `id` and `urn` (None or absent for one of no academy) unless `state_of` and `urn_of` say
    otherwise. One without a URN concerns the whole trust, unless its own `is_of_trust` says otherwise: only callers
    whose grant covers all of the trust may move it. `facts` is what events show of it. `refusals` take the place of the
    kit's own problems.
    """

    def __init__(
        self,
        name: str,
        *,
        initial: str,
        transitions: Sequence[Transition],
        path: str | None = None,
        facts: Callable[[Thing], BaseModel] | None = None,
        state_of: Callable[[Thing], str] = attrgetter("state"),
        urn_of: Callable[[Thing], int | None] = lambda thing: getattr(thing, "urn", None),
        refusals: Refusals | None = None,
    ) -> None:
        self.name = name
        self.path = path or f"{name}s"
        self.initial = initial
        self.facts = facts
        self.transitions = tuple(transitions)
        self._state_of = state_of
        self._urn_of = urn_of
        self.refusals = refusals or Refusals()
        verbs = [(transition.verb, source) for transition in self.transitions for source in transition.sources]
        if len(set(verbs)) < len(verbs):
            raise ValueError(f"{name}: a verb leads from one state to two")

    @property
    def names(self) -> tuple[str, ...]:
        """Every state, the initial one first."""
        names = [self.initial]
        for transition in self.transitions:
            names += [*transition.sources, transition.target]
        return tuple(dict.fromkeys(names))

    @property
    def final(self) -> frozenset[str]:
        """The states that nothing leads out of."""
        return frozenset(self.names) - {source for transition in self.transitions for source in transition.sources}

    def actions(self, thing: Thing, caller: Caller) -> list[ActionOut]:
        """What this caller may do with this thing now, in the order of the table."""
        if caller.academies is not None and self._is_of_trust(thing):
            return []
        return [
            ActionOut(verb=one.verb, title=one.title, needs_reason=one.needs_reason)
            for one in self._open(thing)
            if self._actor(one, thing, caller) is not None and all(guard(thing, caller) is None for guard in one.guards)
        ]

    def check(
        self, verb: str, thing: Thing, caller: Caller, *, if_match: str | None = None, tag: str | None = None
    ) -> Taken:
        """The transition that this verb is for this thing and caller.

        Raises WholeTrustOnly when the thing concerns the whole trust and the caller's grant covers a part, RoleMayNot
        when none of the caller's roles may do it here, PreconditionFailed when `if_match` doesn't name `tag`,
        TransitionNotAllowed when the thing's state doesn't allow it, and what a guard gives.
        """
        if self._is_of_trust(thing):
            check_whole_trust(caller)
        named = [one for one in self.transitions if one.verb == verb]
        if not any(self._actor(one, thing, caller) for one in named):
            leads = self._urn_of(thing) in caller.leads
            who = "You lead this academy: somebody else must" if leads else "Your roles may not"
            raise self.refusals.role(f"{who} {verb} this {self.name}.")
        if if_match is not None and tag is not None:
            check_if_match(if_match, tag)
        state = self._state_of(thing)
        for one in named:
            actor = self._actor(one, thing, caller)
            if state in one.sources and actor is not None:
                for guard in one.guards:
                    if (problem := guard(thing, caller)) is not None:
                        raise problem
                return Taken(one, actor.role)
        allowed = [action.verb for action in self.actions(thing, caller)]
        name, now = self.name.replace("-", " "), state.replace("_", " ")
        raise self.refusals.state(f"You can't {verb} this {name}: it is {now}.", state=state, allowed=allowed)

    def check_create(self, caller: Caller, urn: int | None = None, *, thing: Thing | None = None) -> Taken:
        """That this caller may create one, for this academy.

        Raises WholeTrustOnly for one of the whole trust, RoleMayNot, and what a guard gives for the new `thing`:
        without it no guard is looked at.
        """
        if self._is_of_trust(thing) if thing is not None else urn is None:
            check_whole_trust(caller)
        one = next(one for one in self.transitions if one.verb == CREATE)
        role = acting_role(caller, one.by, urn)
        if role is None:
            raise self.refusals.role(f"Your roles may not create this {self.name}.")
        for guard in one.guards if thing is not None else ():
            if (problem := guard(thing, caller)) is not None:
                raise problem
        return Taken(one, role)

    def by_itself(self, verb: str) -> Taken:
        """A transition that the service itself takes, and nobody else. Raises LookupError when there is none."""
        found = next((one for one in self.transitions if one.verb == verb and not one.by), None)
        if found is None:
            raise LookupError(f"a {self.name} doesn't {verb} by itself")
        return Taken(found, None)

    async def begin(self, session: Session, taken: Taken, thing: Any, *, reason: str | None = None) -> None:
        """Keep a new thing: its row, the record of its creation, and the event."""
        session.add(thing)
        await session.flush()
        await self.record(session, taken, thing, before=None, reason=reason, at=thing.created_at)
        await self._announce(session, taken, thing, None)

    async def change(self, session: Session, taken: Taken, thing: Any, values: Mapping[str, Any]) -> None:
        """Give the thing these values and a new version, and announce it; nothing happens when it has them already.

        Days that it moves are kept for good, before and after. What people wrote isn't: nothing would erase it.
        """
        new = {name: value for name, value in values.items() if getattr(thing, name) != value}
        if not new:
            return
        before, at = self._facts(thing), clock.now()
        moved = list(moved_days({name: (getattr(thing, name), value) for name, value in new.items()}))
        for name, value in new.items():
            setattr(thing, name, value)
        thing.changed(by=context_of_session(session).subject, as_role=taken.as_role or SERVICE, at=at)
        await session.flush()
        if moved:
            await self.record(session, taken, thing, before=self._state_of(thing), reason=None, at=at, fields=moved)
        await self._announce(session, taken, thing, before)

    async def apply(
        self, session: Session, taken: Taken, thing: Any, *, reason: str | None = None, at: datetime | None = None
    ) -> None:
        """Move the thing: its state and version, the record with the reason, and the event. Raises ReasonMissing."""
        one, at = taken.transition, at or clock.now()
        reason = reason.strip() if reason is not None else None
        if one.needs_reason and not reason:
            error = FieldError.in_body(["reason"], KitCode.MISSING, "Give a reason.")
            raise ReasonMissing(f"Say why you {one.verb} it.", errors=[error])
        before, facts = self._state_of(thing), self._facts(thing)
        thing.state = one.target
        thing.changed(by=context_of_session(session).subject, as_role=taken.as_role or SERVICE, at=at)
        await session.flush()
        await self.record(session, taken, thing, before=before, reason=reason, at=at)
        await self._announce(session, taken, thing, facts)

    async def record(
        self,
        session: Session,
        taken: Taken,
        thing: Any,
        *,
        before: str | None,
        reason: str | None,
        at: datetime,
        fields: Sequence[FieldChangeOut] = (),
    ) -> None:
        """Keep for good that the thing was moved, by whom, in which role and why, and what became of its `fields`."""
        values = {
            "trust_id": thing.trust_id,
            "id": uuid7(),
            "thing": self.name,
            "thing_id": thing.id,
            "urn": self._urn_of(thing),
            "verb": taken.transition.verb,
            "before": before,
            "after": taken.transition.target,
            "at": at,
            "by": context_of_session(session).subject,
            "as_role": taken.as_role,
            "reason": reason,
            "fields": json.dumps([field.model_dump() for field in fields]) if fields else None,
        }
        await session.execute(_KEEP, values)

    async def _announce(self, session: Session, taken: Taken, thing: Any, before: BaseModel | None) -> None:
        kind = taken.transition.event
        if kind is None:
            return
        by, after = context_of_session(session).subject, self._facts(thing)
        data = kind.data.model_validate({"before": before, "after": after, "by": by, "as_role": taken.as_role})
        await record_event(session, kind, subject=f"{self.path}/{thing.id}", urn=self._urn_of(thing), data=data)

    def _facts(self, thing: Thing) -> BaseModel | None:
        return None if self.facts is None else self.facts(thing)

    async def history(self, session: Session, thing: Any) -> list[ChangeOut]:
        """Every change of a thing's state and of its days, oldest first."""
        values = {"trust_id": thing.trust_id, "thing": self.name, "thing_id": thing.id}
        return [ChangeOut.model_validate(dict(row)) for row in (await session.execute(_HISTORY, values)).mappings()]

    def _open(self, thing: Thing) -> Iterator[Transition]:
        state = self._state_of(thing)
        return (one for one in self.transitions if state in one.sources)

    def _is_of_trust(self, thing: Thing) -> bool:
        return bool(getattr(thing, "is_of_trust", self._urn_of(thing) is None))

    def _actor(self, one: Transition, thing: Thing, caller: Caller) -> Actor | None:
        urn = self._urn_of(thing)
        return next((actor for actor in one.by if actor.may(caller, urn)), None)


def authored(caller: Caller, taken: Taken) -> dict[str, Any]:
    """Who makes a new row, when and in which role: the columns of `kit.schema.tables.Attributed`."""
    now, by = clock.now(), caller.subject
    return {
        "created_at": now,
        "created_by": by,
        "updated_at": now,
        "updated_by": by,
        "updated_as": taken.as_role or SERVICE,
    }


_KEEP = text(
    """
    insert into state_change
        (trust_id, id, thing, thing_id, urn, verb, before, after, at, by, as_role, reason, fields)
    values (:trust_id, :id, :thing, :thing_id, :urn, :verb, :before, :after, :at, :by, :as_role, :reason,
        cast(:fields as jsonb))
    """
)
_HISTORY = text(
    """
    select verb, before, after, at, by, as_role, reason, coalesce(fields, '[]') as fields from state_change
    where trust_id = :trust_id and thing = :thing and thing_id = :thing_id order by id
    """
)
