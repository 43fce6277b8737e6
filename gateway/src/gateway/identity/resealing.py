"""`python -m gateway.identity.resealing`, for `trellis keys reseal`: move what identity stores to the newest key.

Counts of failed attempts aren't moved, since what they count isn't known: they go on under the newest key at the next
failure, and are forgotten after a quiet hour.
"""

import asyncio
import sys
from dataclasses import dataclass

from gateway.identity.anonymous import NOBODY, under
from gateway.identity.equipment import DIGESTS
from gateway.identity.keys import service as keys
from gateway.identity.people.service import reseal_sign_ins
from gateway.identity.settings import IdentitySettings
from gateway.identity.tenants.queries import tenant_ids
from kit.database.sessions import Database
from kit.ids import PLATFORM
from kit.secrets.answers import Moved
from kit.secrets.digests import Digests
from kit.secrets.sealing import Seal


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was moved to the newest secret key."""

    signing_keys: Moved
    sign_ins: Moved


async def reseal(settings: IdentitySettings | None = None) -> Resealed:
    """Move the signing keys and the digests of sign-ins to the newest secret key."""
    settings = settings or IdentitySettings.for_service("identity")
    seal, digests = Seal(settings.key_ring, keys.PURPOSE), Digests(settings.key_ring, DIGESTS)
    database = Database(settings.database_url, application_name="identity-keys", pool_size=1)
    try:
        async with database.session(NOBODY) as session:
            signing_keys = await keys.reseal(session, seal)
            trusts = [PLATFORM, *await tenant_ids(session)]
        sign_ins = Moved()
        for trust_id in trusts:
            async with database.session(NOBODY) as session, under(session, trust_id):
                sign_ins += await reseal_sign_ins(session, digests, trust_id)
    finally:
        await database.dispose()
    return Resealed(signing_keys, sign_ins)


def main() -> int:
    """Do it and say how much was moved; 1 when a signing key can't be opened with any key of the ring."""
    done = asyncio.run(reseal())
    moved = f"{done.signing_keys.moved} signing keys and {done.sign_ins.moved} sign-ins"
    sys.stdout.write(f"identity: {moved} moved to the newest key.\n")
    if not done.signing_keys.unreadable:
        return 0
    sys.stdout.write(
        f"identity: {done.signing_keys.unreadable} signing keys can't be opened with the keys of the ring. Add the key "
        "that they were sealed with, or begin with new ones: `trellis keys revoke-all`.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
