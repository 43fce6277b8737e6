"""`python -m kit.secrets SERVICE`: move the sealed answers of a service to the newest key of the ring."""

import asyncio
import sys

from kit.database.sessions import service_database
from kit.secrets.answers import Moved, answer_seal, reseal_answers
from kit.settings import ServiceSettings


async def reseal(settings: ServiceSettings) -> Moved:
    """Move them. Raises ValueError when the service has no role that reads across trusts."""
    if settings.follower_database_url is None:
        raise ValueError(f"TRELLIS_{settings.service.upper()}_FOLLOWER_DATABASE_URL is missing")
    name = f"{settings.service}-keys"
    database = service_database(settings, settings.database_url, application_name=name, pool_size=1)
    follower = service_database(settings, settings.follower_database_url, application_name=name, pool_size=1)
    try:
        return await reseal_answers(database, follower, answer_seal(settings.key_ring, settings.service))
    finally:
        await database.dispose()
        await follower.dispose()


def main(arguments: list[str]) -> int:
    """Do it and say how much was moved; 1 when something can't be opened with any key of the ring."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m kit.secrets SERVICE\n")
        return 2
    (service,) = arguments
    done = asyncio.run(reseal(ServiceSettings.for_service(service)))
    sys.stdout.write(f"{service}: {done.moved} kept answers moved to the newest key.\n")
    if done.unreadable:
        sys.stdout.write(
            f"{service}: {done.unreadable} kept answers can't be opened with the keys of the ring. They expire within "
            "two days; until then a repetition of their requests is refused.\n"
        )
    return 1 if done.unreadable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
