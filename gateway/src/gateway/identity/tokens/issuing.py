"""Making a token out of what somebody holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from gateway.identity.equipment import Equipment
from gateway.identity.grants.rules import Grant, View, leads, views_of
from gateway.identity.keys.errors import NoSigningKey
from gateway.identity.keys.rules import TOKEN_LIFE
from gateway.identity.keys.service import ensure_keys
from gateway.identity.roles import SCOPES
from gateway.identity.tokens.errors import ClientNotEntitled, ScopeNotGiven
from gateway.identity.tokens.rules import expires_at, wanted_scopes
from gateway.identity.tokens.schemas import ACCESS_TOKEN, TokenOut
from kit import clock
from kit.database.sessions import Session
from kit.ids import PLATFORM
from kit.telemetry.logs import logger
from sector.days import end_of

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Bearer:
    """For whom a token is, and what of their rights it is to show."""

    subject: str
    client_id: str
    role: str | None = None
    scope: str | None = None


async def issue(session: Session, equipment: Equipment, bearer: Bearer, grants: Sequence[Grant]) -> TokenOut:
    """A token for the widest view that these current grants give.

    Raises ClientNotEntitled when there is none, and ScopeNotGiven.
    """
    views = views_of(grants, role=bearer.role)
    if not views:
        what = "a current grant" if bearer.role is None else f"a current grant of the role {bearer.role!a}"
        raise ClientNotEntitled(f"There is no token without {what}.")
    return await issue_view(session, equipment, bearer, views[0], leads(grants))


async def issue_view(
    session: Session, equipment: Equipment, bearer: Bearer, view: View, led: frozenset[int]
) -> TokenOut:
    """A token for one view. Raises ScopeNotGiven."""
    scopes = wanted_scopes(bearer.scope, view.scopes, frozenset(SCOPES))
    if isinstance(scopes, str):
        raise ScopeNotGiven(scopes)
    now = clock.now()
    expiry = expires_at(now, TOKEN_LIFE, end_of(view.ends_on) if view.ends_on else None)
    scope = " ".join(name for name in SCOPES if name in scopes)
    token_id = str(uuid4())
    claims: dict[str, Any] = {
        "iss": equipment.settings.issuer,
        "aud": equipment.settings.audience,
        "sub": bearer.subject,
        "client_id": bearer.client_id,
        # By the machine's clock, which the gateway goes by.
        "iat": int(clock.on_machine(now).timestamp()),
        "exp": int(clock.on_machine(expiry).timestamp()),
        "jti": token_id,
        "scope": scope,
        "roles": list(view.roles),
        "academies": None if view.academies is None else sorted(view.academies),
        "leads": sorted(led),
        **_place(view.trust_id, view.project_id),
    }
    try:
        token = await equipment.signer.sign(session, claims)
    except NoSigningKey:
        # The first token of a new database, or after every key was revoked.
        await ensure_keys(session, equipment.key_seal, by="identity")
        token = await equipment.signer.sign(session, claims)
    log.info("token issued", subject=bearer.subject, roles=list(view.roles), token_id=token_id)
    return TokenOut(
        access_token=token,
        token_type="Bearer",  # noqa: S106 - a kind of token
        expires_in=claims["exp"] - claims["iat"],
        scope=scope,
        issued_token_type=ACCESS_TOKEN,
    )


def _place(trust_id: UUID, project_id: UUID | None) -> dict[str, Any]:
    """The trust, absent for the platform, and the research project, absent unless the view is one."""
    place: dict[str, Any] = {} if trust_id == PLATFORM else {"trust": str(trust_id)}
    return place | ({"projects": [str(project_id)]} if project_id is not None else {})
