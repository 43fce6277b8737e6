"""How far behind a follower is, for those who run it."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from kit import clock as house_clock
from kit.events.followers import Follower, Followers
from kit.workers.worker import run_worker
from reporting.definition import REPORTING
from tests.support.clients import settings_of
from tests.support.following import QUICK
from tests.support.jobs import until
from tests.support.notes import (
    MODEL,
    Bell,
    World,
    events_of,
    reaches,
)


def lag_of(follower: Follower) -> float:
    registry = CollectorRegistry()
    followers = Followers(settings_of("reporting", "postgresql://nobody@/x"), follower._database, [follower.followed])
    followers.lags = (follower.lag,)
    registry.register(followers.collector)
    (line,) = [
        line for line in generate_latest(registry).decode().splitlines() if line.startswith("trellis_follower_lag_sec")
    ]
    assert 'service="reporting"' in line and 'source="academy"' in line and 'consumer="notes"' in line
    return float(line.rpartition(" ")[2])


async def test_the_lag_grows_while_the_source_is_away_and_goes_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = world.follower()
    stop = asyncio.Event()
    running = asyncio.create_task(follower.run(stop))
    await until(reaches(events_of(world), 0))
    await until(lambda: follower.lag.is_active)
    assert lag_of(follower) == 0

    async def away(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionRefusedError

    service = world.apps["academy"]
    world.apps["academy"] = away
    await world.calls.aclose()
    await until(lambda: follower.lag.failures > 1)
    now = house_clock.now()
    with monkeypatch.context() as later:
        later.setattr(house_clock, "now", lambda: now + timedelta(minutes=5))
        assert 299 < lag_of(follower) < 310
    assert follower.lag.problem
    world.apps["academy"] = service
    await world.calls.aclose()
    await world.note(1)
    await until(reaches(events_of(world), 1))
    await until(lambda: lag_of(follower) == 0)
    assert follower.lag.problem == ""
    stop.set()
    await running


async def test_behind_by_the_age_of_what_was_applied_last(world: World) -> None:
    for number in range(4):
        await world.note(number)
    follower = world.follower()
    follower.lag.is_active = True
    assert await follower.step() is False
    assert follower.lag.behind_since is not None
    assert await follower.step() is True
    assert lag_of(follower) == 0


async def test_followers_of_a_service_run_together_and_say_how_far_they_are(world: World) -> None:
    bell = Bell()
    followers = Followers(world.settings, world.reporting, [MODEL, bell.effects()], calls=world.calls, timings=QUICK)
    await world.note(1)
    stop = asyncio.Event()
    running = asyncio.create_task(followers.run(stop))
    await until(reaches(world.rung, 1))
    await until(lambda: all(lag.events == 1 for lag in followers.lags))
    assert followers.details()["academy notes"] == {
        "is_active": True,
        "lag_seconds": 0.0,
        "events": 1,
        "is_rebuilding": False,
        "problem": None,
    }
    stop.set()
    await running
    with pytest.raises(ValueError, match="twice"):
        Followers(world.settings, world.reporting, [MODEL, MODEL])


async def test_a_worker_runs_followers_beside_its_jobs_and_shows_how_far_they_are(world: World, tmp_path: Path) -> None:
    bell, socket = Bell(), tmp_path / "worker.sock"
    database = world.clone.new("reporting")
    followers = Followers(world.settings, database, [MODEL, bell.effects()], calls=world.calls, timings=QUICK)
    running = asyncio.create_task(
        run_worker(REPORTING.chain, (), {"app": database}, followers=followers, health_socket=socket)
    )
    await world.note(1)
    await until(reaches(world.rung, 1))
    await until(reaches(events_of(world), 1))
    await until(lambda: all(lag.events == 1 for lag in followers.lags))
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
        readiness = (await client.get("/readyz")).json()
        metrics = (await client.get("/metrics")).text
    assert readiness["followers"]["academy bell"]["is_active"] is True
    assert 'trellis_follower_events_total{consumer="notes",service="reporting",source="academy"} 1.0' in metrics
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(10):
        await running
    assert not any(lag.is_active for lag in followers.lags)
