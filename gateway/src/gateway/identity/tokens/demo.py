"""Tokens for demo people, who exist nowhere but in their token."""

from gateway.identity.anonymous import NOBODY
from gateway.identity.codes import Code
from gateway.identity.equipment import Equipment
from gateway.identity.grants.rules import View, extent_of
from gateway.identity.roles import ROLES, Extent, Level, Role
from gateway.identity.tables import Tenant
from gateway.identity.tenants.demo import DEMO_TENANTS, demo_academies
from gateway.identity.tenants.errors import TenantNotFound
from gateway.identity.tenants.service import tenant_of
from gateway.identity.tokens.errors import DemoTokenInvalid
from gateway.identity.tokens.issuing import Bearer, issue_view
from gateway.identity.tokens.schemas import DemoTokenCreate, TokenOut
from kit.database.sessions import Database, Session
from kit.ids import PLATFORM
from kit.problems import FieldError

CLIENT_ID = "demo"


async def demo_token(database: Database, equipment: Equipment, wanted: DemoTokenCreate) -> TokenOut:
    """A token for a demo person; its route is served in a demo alone. Raises DemoTokenInvalid, TenantNotFound."""
    async with database.session(NOBODY) as session:
        view = await _view(session, wanted)
        role = ROLES[wanted.role]
        led = view.academies if role.leads and view.academies is not None else frozenset()
        # No role has a colon in its code, so no chosen name can be taken for a role.
        subject = f"demo:{role.code}" if wanted.person is None else f"demo:person:{wanted.person}"
        return await issue_view(session, equipment, Bearer(subject, CLIENT_ID), view, led)


async def _view(session: Session, wanted: DemoTokenCreate) -> View:
    role = ROLES[wanted.role]
    academies = frozenset(wanted.academies) if wanted.academies is not None else None
    extent = _extent(role, wanted)
    if extent is Extent.PROJECT:
        # A project gives nobody an academy's own figures.
        academies = frozenset()
    if role.level is Level.PLATFORM:
        return View(PLATFORM, extent, academies, None, (role.code,), None)
    tenant = await tenant_of(session, wanted.trust or DEMO_TENANTS[0].group_uid)
    if not tenant.is_active:
        raise TenantNotFound(f"There is no tenant {wanted.trust}.")
    _check_academies(tenant, academies)
    return View(tenant.id, extent, academies, wanted.project, (role.code,), None)


def _check_academies(tenant: Tenant, academies: frozenset[int] | None) -> None:
    """Such a token would show an empty board, as if there were nothing in the demo. Raises DemoTokenInvalid."""
    known = demo_academies(tenant.group_uid)
    if known is None or academies is None or not (strange := sorted(academies - known)):
        return
    urns, there_are = ", ".join(map(str, strange[:20])), ", ".join(map(str, sorted(known)))
    detail = f"{tenant.name} has no academy {urns}; it has {there_are}."
    raise _invalid("academies", Code.ACADEMY_NOT_OF_TRUST, detail)


def _extent(role: Role, wanted: DemoTokenCreate) -> Extent:
    """How far the role reaches in this token. Raises DemoTokenInvalid."""
    if wanted.project is not None and wanted.academies is not None:
        raise _invalid("project", Code.EXTENT_UNCLEAR, "Name academies or a project, not both.")
    extent = extent_of(has_academies=wanted.academies is not None, has_project=wanted.project is not None)
    if extent in role.extents:
        return extent
    if extent is Extent.PROJECT:
        raise _invalid("project", Code.EXTENT_UNSUITABLE, f"{role.title} isn't held for a project.")
    need = "needs academies" if Extent.TRUST not in role.extents else "counts for the whole trust"
    raise _invalid("academies", Code.EXTENT_UNSUITABLE, f"{role.title} {need}.")


def _invalid(field: str, code: Code, detail: str) -> DemoTokenInvalid:
    return DemoTokenInvalid("Nobody has this role like that.", errors=[FieldError.in_body([field], code, detail)])
