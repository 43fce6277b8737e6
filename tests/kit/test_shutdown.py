"""A service that is asked to stop tells its waiting readers and ends at once."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest

from kit.shutdown import Closing

SERVER = """
import asyncio, signal, sys, uvicorn
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from kit.web.app import create_service
from kit.web.tools import tools_of
from tests.kit.sample import sample_settings
from tests.support.tokens import trusted_keys

router = APIRouter(tags=["waiting"])

class Out(BaseModel):
    asked: bool

@router.get("/waits", operation_id="wait_view")
async def wait_view(request: Request) -> Out:
    "Wait for half a minute."
    return Out(asked=await tools_of(request).closing.sleep(30))

@router.get("/streams", operation_id="stream_view", response_class=StreamingResponse)
async def stream_view(request: Request) -> StreamingResponse:
    "A stream until the end of the process."
    async def parts():
        while not await tools_of(request).closing.sleep(0.05):
            yield b": ping\\n\\n"
        yield b": bye\\n\\n"
    return StreamingResponse(parts(), media_type="text/event-stream")

app = create_service(
    sample_settings(env="demo"), title="Waiting", description="Waits.", routers=[router], keys=trusted_keys()
)
uvicorn.run(app, uds=sys.argv[1], access_log=False, log_config=None, timeout_graceful_shutdown=20)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
async def test_waiting_readers_are_answered_and_the_process_ends(tmp_path: Path, number: signal.Signals) -> None:
    socket = tmp_path / "s.sock"
    log = (tmp_path / "log").open("w+b")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(socket), stdout=log, stderr=log, cwd=Path(__file__).parents[2]
    )
    try:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=60) as client:
            await _answers(client, process)

            async def stream() -> bytes:
                async with client.stream("GET", "/sample/v1/streams") as answer:
                    return b"".join([part async for part in answer.aiter_bytes()])

            waiting = asyncio.create_task(client.get("/sample/v1/waits"))
            streaming = asyncio.create_task(stream())
            await asyncio.sleep(0.4)
            began = time.monotonic()
            process.send_signal(number)
            assert (await waiting).json() == {"asked": True}
            assert (await streaming).endswith(b": bye\n\n")
            await asyncio.wait_for(process.wait(), 10)
            assert time.monotonic() - began < 5
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        log.close()
    assert b"rror" not in (tmp_path / "log").read_bytes().replace(b"uvicorn.error", b"")


async def _answers(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    for _ in range(300):
        assert process.returncode is None
        try:
            if (await client.get("/healthz")).status_code == 200:
                return
        except httpx.ConnectError:
            await asyncio.sleep(0.1)
    raise TimeoutError


async def test_sleepers_wake_when_it_begins_and_everybody_is_told_once() -> None:
    closing = Closing()
    told: list[int] = []
    closing.on_begin(lambda: told.append(1))
    assert not await closing.sleep(0.01)
    sleeper = asyncio.create_task(closing.sleep(30))
    await asyncio.sleep(0)
    closing.begin()
    closing.begin()
    assert await sleeper
    assert closing.requested
    assert told == [1]
    assert await closing.sleep(30)


async def test_signals_are_passed_on_and_given_back() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        mine = signal.getsignal(signal.SIGTERM)
        closing = Closing()
        with closing.listening():
            signal.raise_signal(signal.SIGTERM)
            assert await closing.sleep(5)
        assert seen == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_default_of_ending_at_once_stays() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with Closing().listening():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
