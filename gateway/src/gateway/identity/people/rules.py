"""Whether and by what somebody could sign in."""

from collections.abc import Mapping
from uuid import UUID

from gateway.identity.codes import Code


def plain_email(email: str) -> str:
    """An address as it is compared: the case of its letters makes no difference."""
    return email.lower()


def speaks_for(issuers: Mapping[str, frozenset[UUID] | None], issuer: str, trust_id: UUID) -> bool:
    """Whether this identity provider is one whose accounts count in the trust (None: in every trust)."""
    if issuer not in issuers:
        return False
    trusts = issuers[issuer]
    return trusts is None or trust_id in trusts


def sign_in_faults(*, email: str | None, issuer: str | None, subject: str | None) -> list[tuple[str, Code, str]]:
    """What is missing for a sign-in: field, code and sentence each; empty when nothing is."""
    if (issuer is None) is not (subject is None):
        field = "subject" if subject is None else "issuer"
        return [(field, Code.ACCOUNT_INCOMPLETE, "An account is an issuer and a subject.")]
    if email is None and issuer is None:
        return [("email", Code.SIGN_IN_IMPOSSIBLE, "Name an address, or an account (issuer and subject).")]
    return []
