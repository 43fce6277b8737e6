"""The worker of the academy service: imports, ratings, and what falls due. `python -m academy.worker` runs it."""

import asyncio

from academy.definition import ACADEMY
from kit.database.sessions import WORKER_TIMEOUTS, Database, service_database
from kit.jobs.worker import run_worker
from kit.settings import ServiceSettings
from kit.telemetry.logs import configure_logs


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


def main() -> None:
    """Work until asked to stop."""
    settings = ServiceSettings.for_service(ACADEMY.name)
    configure_logs("academy-worker", settings.log_level)
    # Rows of one slice refer to those of another: all tables are known before the first row is written.
    assert ACADEMY.tables
    asyncio.run(run_worker(ACADEMY.chain, ACADEMY.tasks, databases_of(settings), health_socket=settings.worker_socket))


if __name__ == "__main__":
    main()
