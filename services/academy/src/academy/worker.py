"""The worker of the academy service: imports, ratings, and what falls due. `python -m academy.worker` runs it."""

from academy.criteria.queries import trusts_here
from academy.definition import ACADEMY
from kit.database.sessions import WORKER_TIMEOUTS, Database, service_database
from kit.settings import ServiceSettings
from kit.workers.worker import main


def databases_of(settings: ServiceSettings) -> dict[str, Database]:
    """What the tasks work with: the service's own role, and the loader that alone writes national data.

    Raises ValueError when the loader's connection isn't set.
    """
    if settings.loader_database_url is None:
        raise ValueError("TRELLIS_ACADEMY_LOADER_DATABASE_URL isn't set")
    urls = {"app": settings.database_url, "loader": settings.loader_database_url}
    return {
        name: service_database(
            settings,
            url,
            application_name=f"academy-{name}-worker",
            timeouts=WORKER_TIMEOUTS,
            registered=ACADEMY,
        )
        for name, url in urls.items()
    }


if __name__ == "__main__":
    main(ACADEMY, databases=databases_of, tenants=trusts_here)
