"""What the academy service is made of."""

import pytest

from academy.definition import ACADEMY
from academy.imports.applying.end import DELETE_TASK
from academy.imports.applying.notices import NOTICE_TASK
from academy.imports.rules import RUN_SMALL_TASK, RUN_TASK
from academy.rate_again import RATE_TASK
from academy.worker import databases_of
from tests.support.clients import settings_of


def test_every_task_that_imports_queue_can_be_worked_on() -> None:
    known = {task.name for tasks in ACADEMY.tasks for task in tasks}
    assert {RUN_TASK, RUN_SMALL_TASK, NOTICE_TASK, DELETE_TASK, RATE_TASK} <= known


def test_every_event_type_is_told_once() -> None:
    types = [event_type.type for event_type in ACADEMY.event_types]
    assert len(types) == len(set(types))
    assert {"org.trellis.academy.import.finished.v1", "org.trellis.academy.academy.left.v1"} <= set(types)


async def test_the_worker_needs_the_loaders_connection() -> None:
    settings = settings_of("academy", "postgresql://academy_app@/trellis")
    with pytest.raises(ValueError, match="TRELLIS_ACADEMY_LOADER_DATABASE_URL"):
        databases_of(settings)
    databases = databases_of(settings.model_copy(update={"loader_database_url": "postgresql://loader@/trellis"}))
    assert set(databases) == {"app", "loader"}
    assert all(database.schema == "academy" for database in databases.values())
