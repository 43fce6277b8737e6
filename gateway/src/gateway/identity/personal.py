"""What identity holds of people: the only place where their names and addresses are.

Name, address and account are cleared by the erasure itself (`gateway.identity.people`).
"""

from typing import Final

from kit.people.declared import OnErasure, PersonalTable
from kit.people.kit_tables import DECISIONS, EVENTS, IDEMPOTENCY_KEYS

__all__ = [
    "CLIENTS",
    "EVENTS",
    "GRANTS",
    "IDEMPOTENCY_KEYS",
    "PEOPLE",
    "SECRETS",
    "SIGNING_KEYS",
    "SIGN_INS",
    "TENANTS",
]

PEOPLE: Final = PersonalTable(
    "person",
    holds="Name, address and account at the identity provider of somebody who may sign in, and who invited them.",
    purpose="Somebody who signs in must be recognised, and get the rights that they were given.",
    kept="Until the person is erased; then an id without any of these stays, so that it is never given again.",
    subjects=("created_by",),
    ids=("id",),
    details=("display_name", "email", "issuer", "subject"),
)
SIGN_INS: Final = PersonalTable(
    "sign_in",
    holds="A digest of the account or address by which the person is found when they sign in.",
    purpose="It must be known whose trust somebody belongs to before anything of a trust is read.",
    kept="Until the person is erased, or gets another account.",
    ids=("person_id",),
    hidden=("digest",),
    on_erasure=OnErasure.DELETED,
)
GRANTS: Final = PersonalTable(
    "role_grant",
    holds="Which role the person had, from when to when, and who gave or ended a role.",
    purpose="A trust must be able to say who could do what, and by whose decision.",
    kept="For good. After an erasure a grant names an id that leads to nobody.",
    subjects=("created_by", "ended_by"),
    ids=("person_id",),
)
CLIENTS: Final = PersonalTable(
    "client",
    holds="Who registered a program.",
    purpose=DECISIONS,
    kept="For good.",
    subjects=("created_by",),
)
SECRETS: Final = PersonalTable(
    "client_secret",
    holds="Who got a program's secret.",
    purpose=DECISIONS,
    kept="As long as the secret.",
    subjects=("created_by",),
)
TENANTS: Final = PersonalTable(
    "tenant",
    holds="Who of the platform registered a trust.",
    purpose=DECISIONS,
    kept="For good.",
    subjects=("created_by",),
    of_platform=True,
)
SIGNING_KEYS: Final = PersonalTable(
    "signing_key",
    holds="Who of the platform revoked a key that signed tokens.",
    purpose=DECISIONS,
    kept="As long as the key.",
    subjects=("revoked_by",),
    hidden=("private_key",),
    of_platform=True,
)
