"""What services follow, and that read models can be made again from feeds alone."""

import ast
import importlib
import inspect

import pytest

from academy.definition import ACADEMY
from kit.definition import ServiceDefinition
from kit.key_ring import KeyRing
from kit.workers.following import followed_by, read_models_of
from reporting.definition import REPORTING
from research.definition import RESEARCH
from tests.support.clients import SECRET_KEY
from tests.support.databases import Clone

SERVICES: tuple[ServiceDefinition, ...] = (ACADEMY, RESEARCH, REPORTING)
MODELS = [model for service in SERVICES for model in read_models_of(service)]
# What differs from one rebuild to the next, or asks somebody else.
FORBIDDEN = frozenset({"clock", "uuid7", "uuid4", "random", "secrets", "now", "today", "Calls", "httpx"})


def named(service: ServiceDefinition) -> str:
    return service.name


@pytest.mark.parametrize("service", SERVICES, ids=named)
def test_every_service_follows_who_holds_a_right(service: ServiceDefinition) -> None:
    places = [str(followed.place) for followed in followed_by(service, KeyRing.of([SECRET_KEY]))]
    assert {"identity grants", "identity ends-of-holders"} <= set(places)
    assert len(places) == len(set(places))


@pytest.mark.parametrize("service", SERVICES, ids=named)
async def test_every_read_model_has_its_tables(service: ServiceDefinition, worker_database: Clone) -> None:
    async with worker_database.admin() as admin:
        for model in read_models_of(service):
            row = "select count(*) from {schema}.follower where source = $1 and consumer = $2"
            known = await admin.fetchval(row.format(schema=service.name), model.place.source, model.place.consumer)
            assert known == 1, f"{service.name}: no migration makes {model.place}"
            for table in model.tables:
                for name in (table.name, f"{table.name}_a", f"{table.name}_b"):
                    assert await admin.fetchval("select to_regclass($1)", f"{service.name}.{name}"), name


def names_in(module: str) -> set[str]:
    """Every name and attribute that a module uses."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("module", sorted({model.apply.__module__ for model in MODELS}))
def test_a_read_model_is_made_of_events_alone(module: str) -> None:
    assert names_in(module) & FORBIDDEN == set()


def test_what_is_forbidden_is_found() -> None:
    assert {"now", "clock"} <= names_in("kit.events.lag")
