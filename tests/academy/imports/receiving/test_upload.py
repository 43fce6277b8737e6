"""Files that aren't what they should be: a clear answer, and nothing kept."""

import asyncio
import gzip
import os
import zipfile
from io import BytesIO
from typing import Any

import pytest

from academy.imports.receiving.limits import ImportLimits
from kit.database.contexts import Context
from kit.database.reservations import reserve
from tests.academy.imports.conftest import IMPORTS, Workbench, csv
from tests.support.clients import Clients
from tests.support.tokens import PROSPERE, issue_token

NDJSON = "application/x-ndjson"
GOOD = csv([(136105, "ks4.attainment_8", "2024/25", 47.5)])


async def nothing_is_kept(bench: Workbench) -> bool:
    counts = await bench.rows(
        "select (select count(*) from academy.observation) as figures, (select count(*) from academy.school) as schools"
    )
    return counts == [{"figures": 0, "schools": 0}]


async def nothing_was_accepted(bench: Workbench) -> bool:
    counts = await bench.rows(
        "select (select count(*) from academy.import) as imports,"
        " (select count(*) from academy.import_chunk) as chunks,"
        " (select count(*) from academy.procrastinate_jobs) as jobs"
    )
    return counts == [{"imports": 0, "chunks": 0, "jobs": 0}]


async def test_every_error_is_listed_and_no_row_is_kept(bench: Workbench) -> None:
    content = csv(
        [
            (136105, "ks4.attainment_8", "2024/25", 47.5),
            ("abc", "ks4.attainment_8", "2024/25", 47.5),
            (136105, "ks4.attainment_9", "2024/25", 47.5),
            (136105, "ks4.attainment_8", "2024/26", 47.5),
            (136105, "attendance.overall_percent", "2024/25", 147.5),
            (136105, "attendance.overall_percent", "2023/24", "4O"),
        ]
    )
    ended = await bench.load(await bench.client(), "observations", content)
    assert (ended["state"], ended["errors_total"], ended["rows_accepted"]) == ("failed", 5, 0)
    assert [(one["row"], one["column"]) for one in ended["errors"]] == [
        (3, "urn"),
        (4, "measure"),
        (5, "academic_year"),
        (6, "value"),
        (7, "value"),
    ]
    assert all(one["code"] and one["detail"] for one in ended["errors"])
    assert (ended["rows_new"], ended["rows_changed"]) == (0, 0)
    assert await nothing_is_kept(bench)
    assert await bench.events() == [("import.finished", f"imports/{ended['id']}")]
    assert await bench.jobs("academy.ratings.rerate") == []


async def test_the_first_thousand_errors_are_shown_and_all_are_counted(bench: Workbench) -> None:
    content = csv([(136105, "ks4.attainment_8", "2024/25", "4O") for _ in range(1500)])
    manager = await bench.client()
    ended = await bench.load(manager, "observations", content)
    assert (ended["state"], len(ended["errors"])) == ("failed", 1000)
    assert ended["errors_total"] >= 1500
    (listed,) = (await manager.get(IMPORTS)).json()["items"]
    assert listed["errors"] == ended["errors"][:10]


async def test_missing_columns_are_all_named(bench: Workbench) -> None:
    ended = await bench.load(await bench.client(), "observations", "academic_year,remark\n2024/25,x\n")
    assert ended["state"] == "failed"
    named = " ".join(one["detail"] for one in ended["errors"])
    assert all(name in named for name in ("urn", "measure", "value"))
    assert await nothing_is_kept(bench)


async def test_unknown_columns_are_reported_and_passed_over(bench: Workbench) -> None:
    content = csv([(136105, "ks4.attainment_8", "2024/25", 47.5, "=1+1")], "urn,measure,academic_year,value,Remark")
    ended = await bench.load(await bench.client(), "observations", content)
    assert ended["state"] == "succeeded"
    assert any("Remark" in str(warning) for warning in ended["warnings"])


UNREADABLE = {
    "NULs": b"\x00" * 2000,
    "a NUL in a cell": GOOD.encode().replace(b"ks4", b"k\x00s4"),
    "no UTF-8": GOOD.encode() + b'136105,"\xff\xfe\xfa",2024/25,1\n',
    "blank lines": b"\n\n\n",
    "a quote that never ends": GOOD.encode() + b'136105,"ks4',
    "too many cells": GOOD.encode() + b"1,2,3,4,5,6,7,8,9\n",
    "noise": bytes(range(256)) * 20,
    "a web page": b"<html><body>Maintenance</body></html>",
    "a formula": GOOD.replace("47.5", "=HYPERLINK(1)").encode(),
    "half an object": b'{"urn": 136105',
    "deep": b"[" * 100_000,
}


async def test_a_file_that_cannot_be_read_fails_with_a_reason(bench: Workbench) -> None:
    manager = await bench.client()
    sent = {
        name: await bench.send(
            manager, "observations", content, media_type=NDJSON if content[:1] in (b"{", b"[") else "text/csv"
        )
        for name, content in UNREADABLE.items()
    }
    await bench.work()
    for name, response in sent.items():
        assert response.status_code == 202, name
        ended = (await manager.get(response.headers["Location"])).json()
        assert ended["state"] == "failed", name
        assert ended["errors_total"] > 0
        assert all(one["detail"] and one["code"] != "fault" for one in ended["errors"]), name
    assert await nothing_is_kept(bench)


async def test_a_gzipped_file_is_unpacked_however_it_is_said(bench: Workbench) -> None:
    manager = await bench.client()
    packed = gzip.compress(GOOD.encode())
    coded = await bench.load(manager, "observations", packed, headers={"Content-Encoding": "gzip"})
    assert (coded["state"], coded["rows_new"], coded["size_bytes"]) == ("succeeded", 1, len(packed))
    typed = await bench.load(manager, "observations", packed, media_type="application/gzip")
    assert (typed["state"], typed["rows_unchanged"]) == ("succeeded", 1)


def zipped() -> bytes:
    """A zip archive with the good file in it."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("figures.csv", GOOD)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "headers", "media_type", "status", "code"),
    [
        pytest.param(b"", {}, "text/csv", 422, "file-unreadable", id="empty"),
        pytest.param(
            gzip.compress(os.urandom(50_000))[:-20], {"Content-Encoding": "gzip"}, "text/csv", 422, "file-unreadable",
            id="truncated gzip",
        ),
        pytest.param(
            gzip.compress(GOOD.encode())[:20] + b"junkjunkjunk", {}, "application/gzip", 422, "file-unreadable",
            id="damaged gzip",
        ),
        pytest.param(GOOD.encode(), {}, "application/gzip", 422, "file-unreadable", id="plain said to be gzip"),
        pytest.param(
            gzip.compress(GOOD.encode()), {}, "text/csv", 415, "file-type-not-accepted", id="gzip not said to be"
        ),
        pytest.param(zipped(), {}, "text/csv", 415, "file-type-not-accepted", id="a zip archive"),
        pytest.param(b"%PDF-1.7 and so on and on", {}, "text/csv", 415, "file-type-not-accepted", id="a PDF"),
        pytest.param(GOOD.encode(), {}, "application/json", 415, "file-type-not-accepted", id="JSON isn't taken"),
        pytest.param(GOOD.encode(), {}, NDJSON, 415, "file-type-not-accepted", id="CSV said to be NDJSON"),
        pytest.param(
            b"\xef\xbb\xbf\n {}", {}, "text/csv", 415, "file-type-not-accepted", id="NDJSON said to be CSV"
        ),
        pytest.param(
            gzip.compress(b"[]"), {"Content-Encoding": "gzip"}, "text/csv", 415, "file-type-not-accepted",
            id="packed JSON said to be CSV",
        ),
        pytest.param(
            GOOD.encode(), {}, "text/csv; charset=utf-16", 415, "file-type-not-accepted", id="said to be UTF-16"
        ),
        pytest.param(
            GOOD.encode(), {}, 'text/csv; charset="Latin1"', 415, "file-type-not-accepted", id="said to be Latin-1"
        ),
        pytest.param(
            GOOD.encode(), {}, "text/csv; charset=windows-1252", 415, "file-type-not-accepted",
            id="own figures said to be Windows-1252",
        ),
        pytest.param(GOOD.encode(), {}, "image/png", 415, "unsupported-media-type", id="an image"),
        pytest.param(
            GOOD.encode(), {"Content-Encoding": "br"}, "text/csv", 415, "file-type-not-accepted", id="brotli"
        ),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_what_it_says_is_refused_at_once(
    client: Clients, content: bytes, headers: dict[str, str], media_type: str, status: int, code: str
) -> None:
    manager = await client("academy", "data-manager")
    headers = {"Content-Type": media_type, **headers}
    response = await manager.post(IMPORTS, params={"kind": "observations"}, content=content, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert (await manager.get(IMPORTS)).json()["items"] == []


async def test_published_tables_may_be_of_windows_1252_and_charsets_are_read_in_any_case(bench: Workbench) -> None:
    operator, manager = await bench.client("platform-operator"), await bench.client()
    for client, kind, media_type in (
        (operator, "gias-groups", "text/csv; charset=Windows-1252"),
        (operator, "gias-groups", "text/csv; header=present; charset=utf-8"),
        (manager, "observations", 'text/csv;charset="UTF-8"'),
    ):
        assert (await bench.send(client, kind, GOOD, media_type=media_type)).status_code == 202
    response = await bench.send(operator, "dfe-school-profiles", "[]", media_type="application/json; charset=cp1252")
    assert response.status_code == 415


async def test_the_shape_is_told_however_the_file_arrives(bench: Workbench) -> None:
    manager = await bench.client()

    async def one_by_one(content: bytes) -> Any:
        for start in range(len(content)):
            yield content[start : start + 1]

    for content, status in ((b"\xef\xbb\xbf\r\n" + GOOD.encode(), 202), (b"\xef\xbb\xbf\r\n [1]", 415)):
        assert (await bench.send(manager, "observations", one_by_one(content))).status_code == status


async def limited(clients: Clients, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    """Small limits for the app of this test."""
    app = await clients._app_of("academy")
    monkeypatch.setitem(app.state._state, "import_limits", ImportLimits(**limits))


async def test_a_zip_bomb_is_refused_while_it_is_sent(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    await limited(bench.clients, monkeypatch)
    bomb = gzip.compress(b"0" * (64 << 20))
    assert len(bomb) < 100_000
    response = await bench.send(await bench.client(), "observations", bomb, media_type="application/gzip")
    assert (response.status_code, response.json()["code"]) == (413, "import-too-large")
    assert await nothing_was_accepted(bench)


async def test_files_over_the_limits_are_refused(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    await limited(bench.clients, monkeypatch, sent_bytes=100_000, unpacked_bytes=200_000)
    manager = await bench.client()
    large = GOOD.encode() + b"x" * 100_000

    async def without_length() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    for content in (large, without_length()):
        response = await bench.send(manager, "observations", content)
        assert (response.status_code, response.json()["code"]) == (413, "import-too-large")
        assert response.json()["limit_bytes"] == 100_000
    packed = gzip.compress(b"abcdefgh" * 30_000)
    response = await bench.send(manager, "observations", packed, media_type="application/gzip")
    assert response.status_code == 413
    assert await nothing_was_accepted(bench)


async def test_a_sender_who_goes_away_leaves_nothing(bench: Workbench) -> None:
    app = await bench.clients._app_of("academy")
    app.state.tools.database = bench.database.of("academy")
    messages = [
        {"type": "http.request", "body": GOOD.encode() * 100_000, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/academy/v1/imports",
        "raw_path": b"/academy/v1/imports",
        "query_string": b"kind=observations",
        "headers": [
            (b"authorization", f"Bearer {issue_token('data-manager')}".encode()),
            (b"content-type", b"text/csv"),
        ],
    }
    await app(scope, receive, send)
    # For the log: nobody hears it.
    assert sent[0]["status"] == 400
    assert await nothing_was_accepted(bench)


async def test_what_a_trust_has_sent_is_kept_up_to_its_quota(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(GOOD.encode())
    await limited(bench.clients, monkeypatch, kept_bytes=1_024)
    manager = await bench.client()
    for _ in range(1_024 // size):
        assert (await bench.send(manager, "observations", GOOD)).status_code == 202
    response = await bench.send(manager, "observations", GOOD)
    assert (response.status_code, response.json()["code"]) == (507, "storage-quota-reached")
    assert response.json()["limit_bytes"] == 1_024
    assert response.json()["kept_bytes"] == 1_024 // size * size
    assert "A file is deleted 7 days after its import has ended." in response.json()["detail"]
    assert int(response.headers["retry-after"]) > 0
    # Also to somebody who sees none of these imports.
    limited_manager = await bench.client("data-manager", academies=[136105])
    response = await bench.send(limited_manager, "observations", GOOD)
    assert response.status_code == 507, response.text
    assert response.json()["kept_bytes"] == 1_024 // size * size
    # Others have room of their own.
    operator = await bench.client("platform-operator")
    assert (await bench.send(operator, "gias-groups", GOOD)).status_code == 202
    # What has ended is deleted a week later, and then there is room again.
    await bench.work()
    response = await bench.send(manager, "observations", GOOD)
    assert response.status_code == 507
    assert "The next one is deleted" in response.json()["detail"]
    assert 6 * 86_400 < int(response.headers["retry-after"]) <= 7 * 86_400
    await bench.execute(
        "set search_path = academy; update procrastinate_jobs set scheduled_at = now() where status = 'todo'"
    )
    await bench.work()
    assert (await bench.send(manager, "observations", GOOD)).status_code == 202


async def test_the_quota_holds_however_many_files_are_sent_at_once(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 200_000
    content = GOOD.encode().ljust(size, b"\n")
    await limited(bench.clients, monkeypatch, kept_bytes=3 * size)
    manager = await bench.client()
    kept = "select coalesce(sum(octet_length(content)), 0) from academy.import_chunk"
    for _ in range(2):
        answers = await asyncio.gather(*(bench.send(manager, "observations", content) for _ in range(8)))
        refused = [answer for answer in answers if answer.status_code != 202]
        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(507, "storage-quota-reached")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert await bench.value(kept) == (8 - len(refused)) * size <= 3 * size
        await bench.execute("delete from academy.import_chunk")
    # Nothing stays reserved by those that were refused.
    for _ in range(3):
        assert (await bench.send(manager, "observations", content)).status_code == 202
    assert (await bench.send(manager, "observations", content)).status_code == 507


async def test_a_file_that_would_fit_if_others_were_not_being_stored_may_come_again_soon(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await limited(bench.clients, monkeypatch, kept_bytes=10_000)
    manager = await bench.client()
    async with bench.database.of("academy").session(Context(PROSPERE, None, "other")) as session:
        await reserve(session, "academy/imports", PROSPERE, 10_000)
        response = await bench.send(manager, "observations", GOOD)
        assert (response.status_code, response.headers["retry-after"]) == (507, "5")
        assert "others are being stored at this moment" in response.json()["detail"]
        assert await nothing_was_accepted(bench)
    assert (await bench.send(manager, "observations", GOOD)).status_code == 202


async def test_a_large_file_over_the_quota_is_refused_before_it_is_sent(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await limited(bench.clients, monkeypatch, kept_bytes=1_024)
    large = b"x" * (2 << 20)
    response = await bench.send(await bench.client(), "observations", large)
    assert (response.status_code, response.json()["code"]) == (507, "storage-quota-reached")
    assert await nothing_was_accepted(bench)
