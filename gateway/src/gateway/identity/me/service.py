"""What a caller's token says."""

from uuid import UUID

from gateway.identity.grants.rules import Grant, View, views_of
from gateway.identity.grants.service import current_grants
from gateway.identity.me.schemas import MeOut, TrustOut, ViewOut
from gateway.identity.tenants.queries import tenant_by_id
from kit.database.sessions import Session
from kit.identity.callers import Caller


async def describe(session: Session, caller: Caller) -> MeOut:
    """The caller, and what other tokens they could ask for."""
    tenant = await tenant_by_id(session, caller.trust_id) if caller.trust_id else None
    trust = None
    if tenant is not None:
        trust = TrustOut(id=tenant.id, group_uid=tenant.group_uid, group_id=tenant.group_id, name=tenant.name)
    return MeOut(
        subject=caller.subject,
        oauth_client_id=caller.client_id,
        trust=trust,
        roles=sorted(caller.roles),
        scopes=sorted(caller.scopes),
        academies=_sorted(caller.academies),
        leads=sorted(caller.leads),
        projects=sorted(caller.projects),
        expires_at=caller.expires_at,
        views=[_shown(view) for view in views_of(await _grants(session, caller))],
    )


async def _grants(session: Session, caller: Caller) -> list[Grant]:
    kind, _, text = caller.subject.partition(":")
    try:
        id_ = UUID(text)
    except ValueError:
        return []
    match kind:
        case "person":
            return await current_grants(session, caller.tenant_id, person_id=id_)
        case "client":
            return await current_grants(session, caller.tenant_id, client_id=id_)
        case _:
            return []


def _sorted(academies: frozenset[int] | None) -> list[int] | None:
    return None if academies is None else sorted(academies)


def _shown(view: View) -> ViewOut:
    return ViewOut(
        roles=list(view.roles),
        extent=view.extent.value,
        academies=_sorted(view.academies),
        project_id=view.project_id,
    )
