"""Answers that are too large, too slow, or packed to hurt, from a real server on this machine."""

import asyncio
import gzip
import os
import zlib
from collections.abc import Sequence

import pytest

from kit.outbound.addresses import Address
from kit.outbound.client import GuardedClient, Limits
from kit.outbound.errors import (
    AnswerTooLarge,
    AnswerTooSlow,
    AnswerUnreadable,
    HostUnreachable,
)
from kit.outbound.policies import OutboundPolicy
from tests.kit.outbound.internet import (
    Handler,
    answers,
    got,
    ok,
)

SMALL = Limits(size_bytes=100_000, seconds=5.0)
QUICK = Limits(seconds=0.3)


def endless(head: bytes, part: bytes) -> Handler:
    """Sends the part again and again."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + head)
        while True:
            writer.write(part)
            await writer.drain()

    return handle


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"\r\n", b"x" * 10_000),
        (b"Content-Length: 1000000000000\r\n\r\n", b"x" * 10_000),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
    ],
    ids=["until the end", "by length", "in chunks"],
)
async def test_a_body_without_end_is_not_read_to_it(head: bytes, part: bytes) -> None:
    with pytest.raises(AnswerTooLarge, match="100000 bytes"):
        await got(endless(head, part), limits=SMALL)


async def test_headers_without_end_are_not_read_to_it() -> None:
    with pytest.raises(HostUnreachable):
        await got(endless(b"", b"X: " + b"x" * 10_000 + b"\r\n"))


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < SMALL.size_bytes
    handle, _ = answers(ok(bomb, "Content-Encoding: gzip"))
    with pytest.raises(AnswerTooLarge, match="once it is unpacked"):
        await got(handle, limits=SMALL)


@pytest.mark.parametrize("size", [0, 1, 99_999, 100_000])
async def test_a_packed_answer_is_unpacked_up_to_the_limit(size: int) -> None:
    body = os.urandom(size // 2) + b"\0" * (size - size // 2)
    handle, requests = answers(ok(gzip.compress(body), "Content-Encoding: gzip"))
    assert (await got(handle, limits=SMALL)).content == body
    assert b"accept-encoding: gzip\r\n" in requests[0].lower()
    too_much, _ = answers(ok(gzip.compress(b"\0" * 100_001), "Content-Encoding: gzip"))
    with pytest.raises(AnswerTooLarge):
        await got(too_much, limits=SMALL)


# Without the time: the names of tests must be the same in every process.
PACKED = gzip.compress(b"fine", mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("br", b"x"),
        ("deflate", zlib.compress(b"x")),
        ("gzip, gzip", gzip.compress(PACKED, mtime=0)),
        ("gzip", b"not packed"),
        ("gzip", PACKED[:-1]),
        ("gzip", PACKED[:5]),
        ("gzip", PACKED + b"more"),
        ("gzip", PACKED + gzip.compress(b"\0" * 10_000, mtime=0)),
    ],
)
async def test_what_is_packed_otherwise_or_damaged_is_refused(encoding: str, body: bytes) -> None:
    handle, _ = answers(ok(body, f"Content-Encoding: {encoding}"))
    with pytest.raises(AnswerUnreadable):
        await got(handle)


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _drips_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("handle", [_drips, _drips_headers, _says_nothing])
async def test_a_slow_answer_is_not_waited_for(handle: Handler) -> None:
    with pytest.raises(AnswerTooSlow, match=r"within 0\.3 seconds"):
        await got(handle, limits=QUICK)


async def test_a_slow_name_server_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> Sequence[Address]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(AnswerTooSlow):
        await GuardedClient(OutboundPolicy(), resolve=never).get("https://slow.example/", limits=QUICK)


@pytest.mark.parametrize(
    "raw", [b"", b"SSH-2.0-server\r\n", ok(b"x" * 100)[:-50], b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n"]
)
async def test_what_is_no_whole_answer_is_said(raw: bytes) -> None:
    handle, _ = answers(raw)
    with pytest.raises(HostUnreachable, match=r"opened\.example"):
        await got(handle)
