"""The worker of the academy service: imports, ratings, and what falls due. `python -m academy.worker` runs it."""

from __future__ import annotations

import asyncio

from academy import schema
from academy.imports.jobs import tasks as import_tasks
from academy.moderations.jobs import tasks as moderation_tasks
from academy.ratings.jobs import tasks as rating_tasks
from kit.database.sessions import WORKER_TIMEOUTS, Database, service_database
from kit.jobs.tasks import Tasks
from kit.jobs.worker import run_worker
from kit.schema.chains import Chain
from kit.settings import ServiceSettings
from kit.telemetry.logs import configure_logs

SCHEMA = schema.TABLES
"""Every table, known before the first row is written: rows of one slice refer to those of another."""

CHAIN = Chain("academy", "academy")

TASKS: tuple[Tasks, ...] = (import_tasks, rating_tasks, moderation_tasks)
"""The tasks of every slice that has any."""


def databases_of(settings: ServiceSettings) -> dict[str, Database]:
    """What the tasks work with: the service's own role, and the loader that alone writes national data.

    Raises ValueError when the loader's connection isn't set.
    """
    if settings.loader_database_url is None:
        raise ValueError("TRELLIS_ACADEMY_LOADER_DATABASE_URL isn't set")
    urls = {"app": settings.database_url, "loader": settings.loader_database_url}
    return {
        name: service_database(settings, url, application_name=f"academy-{name}-worker", timeouts=WORKER_TIMEOUTS)
        for name, url in urls.items()
    }


def main() -> None:
    """Work until asked to stop."""
    settings = ServiceSettings.for_service("academy")
    configure_logs("academy-worker", settings.log_level)
    asyncio.run(run_worker(CHAIN, TASKS, databases_of(settings), health_socket=settings.worker_socket))


if __name__ == "__main__":
    main()
