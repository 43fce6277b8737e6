"""Files of evidence: added by who made the override, read by who may read ratings."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.academy.moderations.test_routes import moderate, rated
from tests.academy.rated import GREEN, RED
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.tokens import OTHER_TRUST

__all__ = ["rated"]

MINUTES = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nminutes\n"


async def send(judge: httpx.AsyncClient, place: str, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "application/pdf", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await judge.post(f"{place}/files", params={"name": "minutes.pdf"}, content=MINUTES, headers=headers)


async def made(judge: httpx.AsyncClient, **values: Any) -> str:
    """An override; where it is."""
    answer = await moderate(judge, **values)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


@pytest.mark.usefixtures("rated")
async def test_evidence_is_added_by_its_maker_and_read_by_those_who_read_ratings(client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    place = await made(judge, evidence_url=None)
    assert (await judge.get(place)).json()["evidence_url"] == f"{place}/files"
    added = await send(judge, place)
    assert added.status_code == 201, added.text
    trustee = await client("academy", "trustee")
    assert (await trustee.get(f"{place}/files")).json() == {"items": [added.json()]}
    got = await trustee.get(added.headers["Location"])
    assert (got.content, got.headers["content-type"]) == (MINUTES, "application/pdf")
    assert got.headers["content-disposition"].startswith("attachment; ")
    head = await client("academy", "headteacher", academies=[RED], leads=[RED])
    assert (await head.get(added.headers["Location"])).status_code == 200


@pytest.mark.usefixtures("rated")
async def test_nobody_else_adds_or_finds_it(client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    place = await made(judge)
    added = (await send(judge, place)).headers["Location"]
    adviser = await client("academy", "improvement-adviser")
    refused = await send(adviser, place)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-its-maker")
    assert (await send(await client("academy", "trustee"), place)).status_code == 403
    for stranger in (
        await client("academy", "chief-executive", trust=OTHER_TRUST),
        await client("academy", "improvement-adviser", academies=[GREEN]),
    ):
        answers = [await stranger.get(added), await stranger.get(f"{place}/files"), await send(stranger, place)]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
    other = await made(judge, urn=GREEN, status="red")
    moved = added.replace(place, other)
    assert (await judge.get(moved)).json()["code"] == "stored-file-not-found"
    assert (await judge.get(f"{place}/files/{uuid4()}")).status_code == 404


async def test_evidence_of_an_override_that_has_ended_stays_as_it_is(client: Clients, rated: Clock) -> None:
    judge = await client("academy", "chief-executive")
    place = await made(judge)
    added = (await send(judge, place)).headers["Location"]
    tag = (await judge.get(place)).headers["ETag"]
    assert (await judge.post(f"{place}/withdraw", headers={"If-Match": tag})).status_code == 200
    late = await send(judge, place)
    assert (late.status_code, late.json()["code"]) == (409, "moderation-ended")
    assert (await judge.get(added)).status_code == 200


@pytest.mark.usefixtures("rated")
async def test_a_repeated_upload_is_kept_once(client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    place = await made(judge)
    first, again = [await send(judge, place, Idempotency_Key="k1") for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len((await judge.get(f"{place}/files")).json()["items"]) == 1


@pytest.mark.usefixtures("rated")
async def test_evidence_sent_as_any_bytes_is_what_its_name_and_its_content_say(client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    place = await made(judge)

    async def sent(name: str, content: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/octet-stream"}
        return await judge.post(f"{place}/files", params={"name": name}, content=content, headers=headers)

    files = [("a.csv", b"a,b\n"), ("a", b"a,b\n"), ("a.PDF", MINUTES), ("a.html", b"<html>"), ("scan", MINUTES)]
    kept = [(await sent(*file)).json() for file in files]
    assert [(file["name"], file["media_type"]) for file in kept] == [
        ("a.csv", "text/csv"),
        ("a.txt", "text/plain"),
        ("a.PDF", "application/pdf"),
        ("a.html.txt", "text/plain"),
        ("scan.pdf", "application/pdf"),
    ]
    for refused in (await sent("a.pdf", b"a,b\n"), await sent("a.csv", MINUTES), await sent("a", b"MZ\x90\0")):
        assert (refused.status_code, refused.json()["code"]) == (415, "file-type-not-accepted")
