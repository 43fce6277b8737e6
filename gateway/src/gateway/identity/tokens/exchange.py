"""A token for a person, in exchange for an ID token of their organisation (RFC 8693)."""

from uuid import UUID

from gateway.identity.anonymous import NOBODY, under
from gateway.identity.grants.rules import Grant
from gateway.identity.grants.service import current_grants
from gateway.identity.people import queries as people
from gateway.identity.people.rules import plain_email
from gateway.identity.people.service import account_digests, bind, email_digests, renew_sign_in
from gateway.identity.tables import Person
from gateway.identity.tenants.queries import tenant_by_reference
from gateway.identity.tokens import throttle
from gateway.identity.tokens.errors import RequestMalformed
from gateway.identity.tokens.forms import TokenRequest
from gateway.identity.tokens.id_tokens import Account
from gateway.identity.tokens.issuing import Bearer, issue
from gateway.identity.tokens.provider_keys import ProviderUnreachable
from gateway.identity.tokens.queries import KnownClient, active_person, is_active_tenant
from gateway.identity.tokens.request_tools import TokenRequestTools
from gateway.identity.tokens.schemas import ACCESS_TOKEN, ID_TOKEN, TokenOut
from kit import clock
from kit.database.sessions import Session
from kit.identity.compact import TokenRefused
from kit.ids import PLATFORM
from kit.problems import ServiceUnavailable
from kit.telemetry.logs import logger

log = logger(__name__)

# The same for a stranger, a disabled person and one of another trust.
_STRANGER = "Nobody here belongs to this account."


async def exchange(tools: TokenRequestTools, client: KnownClient, request: TokenRequest) -> TokenOut:
    """A token for the person that an ID token is about, in the trust of the client or one of theirs.

    Raises RequestMalformed, TooManyAttempts, ClientNotEntitled, ScopeNotGiven, and ServiceUnavailable when the
    identity provider can't be reached.
    """
    account = await _account(tools, request)
    async with tools.database.session(NOBODY) as session:
        trust_id, person = await _person(session, tools, client, account, request.get("trust"))
        grants = await _grants(session, tools, trust_id, person, account)
        bearer = Bearer(f"person:{person.id}", request.client_id, request.get("role"), request.get("scope"))
        return await issue(session, tools.equipment, bearer, grants)


async def _account(tools: TokenRequestTools, request: TokenRequest) -> Account:
    token = request.get("subject_token")
    if token is None or request.get("subject_token_type") != ID_TOKEN:
        raise RequestMalformed(f"Send an ID token as subject_token and {ID_TOKEN} as subject_token_type.")
    if request.get("requested_token_type") not in {None, ACCESS_TOKEN}:
        raise RequestMalformed(f"Only {ACCESS_TOKEN} can be requested.")
    if request.get("actor_token") is not None or request.get("actor_token_type") is not None:
        raise RequestMalformed("Nobody acts for somebody else here: send no actor_token.")
    try:
        return await tools.id_tokens.verify(token, clock.machine_now())
    except ProviderUnreachable:
        raise ServiceUnavailable("The identity provider can't be reached.", retry_after_seconds=10) from None
    except TokenRefused as refused:
        log.warning("an ID token was refused", reason=str(refused))
        counters = throttle.exchange_counters(tools.equipment.digests, request.client_id, tools.address)
        async with tools.database.session(NOBODY) as session:
            await throttle.note_failure(session, counters, await throttle.standing(session, counters))
        raise RequestMalformed(f"The ID token isn't accepted: {refused}.") from None


async def _person(
    session: Session, tools: TokenRequestTools, client: KnownClient, account: Account, trust: str | None
) -> tuple[UUID, Person]:
    """The person that the account belongs to, and their trust; an account counts before an address."""
    digests = tools.equipment.digests
    by_account = account_digests(digests, account.issuer.issuer, account.subject)
    by_email = email_digests(digests, account.verified_email) if account.verified_email is not None else []
    newest = [*by_account[:1], *by_email[:1]]
    allowed = account.issuer.tenants()
    found: dict[UUID, Person] = {}
    rows = await people.sign_ins(session, [*by_account, *by_email])
    for row in sorted(rows, key=lambda row: row.digest not in by_account):
        in_reach = client.trust_id in {PLATFORM, row.trust_id} and (allowed is None or row.trust_id in allowed)
        if not in_reach or row.trust_id in found or not await is_active_tenant(session, row.trust_id):
            continue
        async with under(session, row.trust_id):
            person = await active_person(session, row.trust_id, row.person_id)
            if person is None or not _is(person, account):
                continue
            found[row.trust_id] = person
            if row.digest not in newest:
                await renew_sign_in(session, digests, person)
    return await _one(session, found, trust)


def _is(person: Person, account: Account) -> bool:
    """Whether the row says what the digest promised: the account, or the address of somebody not bound yet."""
    if person.subject is not None:
        return (person.issuer, person.subject) == (account.issuer.issuer, account.subject)
    if person.email is None or account.verified_email is None:
        return False
    return plain_email(person.email) == plain_email(account.verified_email)


async def _one(session: Session, found: dict[UUID, Person], trust: str | None) -> tuple[UUID, Person]:
    if trust is not None:
        tenant = await tenant_by_reference(session, trust)
        found = {tenant.id: found[tenant.id]} if tenant is not None and tenant.id in found else {}
    if not found:
        raise RequestMalformed(_STRANGER)
    if len(found) > 1:
        choices = ", ".join(str(trust_id) for trust_id in found)
        raise RequestMalformed(f"The account belongs to several trusts; send one as trust: {choices}.")
    return next(iter(found.items()))


async def _grants(
    session: Session, tools: TokenRequestTools, trust_id: UUID, person: Person, account: Account
) -> list[Grant]:
    async with under(session, trust_id, subject=f"person:{person.id}"):
        if person.subject is None:
            # The row is locked: of two accounts with one address the first is bound, and the second is a stranger.
            await bind(
                session,
                tools.equipment.digests,
                person,
                issuer=account.issuer.issuer,
                subject=account.subject,
            )
        return await current_grants(session, trust_id, person_id=person.id)
