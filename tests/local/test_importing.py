"""What is sent with a file, how its end is waited for, and what is said about it."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.answers import Served, told
from trellis import importing
from trellis.api import Api, Refused
from trellis.demo import contents
from trellis.importing import Load


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("a.csv", {"Content-Type": "text/csv"}),
        ("a", {"Content-Type": "text/csv"}),
        ("A.JSON", {"Content-Type": "application/json"}),
        ("a.ndjson", {"Content-Type": "application/x-ndjson"}),
        ("2018-19.final.csv.gz", {"Content-Type": "text/csv", "Content-Encoding": "gzip"}),
        ("a.json.gz", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    ],
)
def test_the_type_is_told_by_the_name(name: str, headers: dict[str, str]) -> None:
    assert Load("dfe-ks4", Path(name)).headers() == headers


def test_only_what_was_said_is_sent() -> None:
    assert Load("gias-groups", Path("a.csv")).parameters() == {"kind": "gias-groups"}
    assert Load("dfe-ks4", Path("a.csv"), "2018/19", "final", dry_run=True).parameters() == {
        "kind": "dfe-ks4",
        "academic_year": "2018/19",
        "release": "final",
        "dry_run": "true",
    }


def an_import(state: str, **others: Any) -> dict[str, Any]:
    usual = {
        "id": "1",
        "state": state,
        "dry_run": False,
        "progress_percent": 100,
        "rows_read": 3,
        "rows_accepted": 2,
        "rows_ignored": 1,
        "rows_new": 2,
        "rows_changed": 0,
        "rows_unchanged": 0,
        "errors": [],
        "errors_total": 0,
        "warnings": [],
    }
    return {**usual, **others}


def test_a_file_is_sent_in_pieces_and_followed_to_its_end(
    serve: Callable[..., tuple[str, Served]], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * (importing.CHUNK_BYTES + 10))
    url, served = serve(
        told(202, an_import("queued")),
        told(200, an_import("running", progress_percent=40)),
        told(200, an_import("succeeded")),
    )
    moved: list[int] = []
    with Api(url) as api:
        accepted = importing.send(api, Load("observations", path), moved.append)
        ended = importing.follow(api, accepted, moved.append)
    assert ended["state"] == "succeeded"
    assert moved == [importing.CHUNK_BYTES, importing.CHUNK_BYTES + 10, 40, 100]
    assert [request[1] for request in served.requests] == [
        "/academy/v1/imports?kind=observations",
        "/academy/v1/imports/1",
        "/academy/v1/imports/1",
    ]
    _, _, headers, body = served.requests[0]
    assert len(body) == importing.CHUNK_BYTES + 10
    assert headers["Idempotency-Key"]


def summary(ended: dict[str, Any]) -> str:
    out = io.StringIO()
    importing.summarise(ended, Console(file=out, width=200, highlight=False))
    return out.getvalue()


def test_a_success_is_told_in_numbers() -> None:
    said = summary(an_import("succeeded", rows_read=12345))
    assert "succeeded: 12,345 rows read, 2 accepted, 1 ignored" in said
    assert "2 new, 0 changed, 0 as before" in said


def test_a_refusal_names_row_column_and_reason_and_counts_the_rest() -> None:
    errors = [{"row": n, "column": "P8MEA", "code": "x", "detail": f"[bold]{n} is no number"} for n in range(1, 26)]
    errors.append({"row": None, "column": None, "code": "x", "detail": "The file is cut off."})
    said = summary(an_import("failed", errors=errors, errors_total=1200))
    assert "P8MEA" in said
    assert "[bold]7 is no number" in said
    assert "1,200 errors in all" in said


def test_every_warning_is_shown_whole_in_the_order_of_the_import() -> None:
    warnings: list[dict[str, str | None]] = [
        {"column": f"c{n}", "code": "unknown_column", "detail": f"Not read: {'x' * 400}."} for n in range(30)
    ]
    warnings.insert(0, {"column": None, "code": "figures_emptied", "detail": "Figures have no value. (3 times)"})
    said = summary(an_import("succeeded", warnings=warnings)).replace("\n", "")
    assert said.index("warning: Figures have no value. (3 times)") < said.index("warning: c0: Not read")
    assert said.count("x" * 400) == 30


@pytest.mark.parametrize("file", contents.FILES, ids=lambda file: file.name)
def test_the_demo_brings_its_files_with_their_source(file: contents.File) -> None:
    load = file.load()
    assert load.path.stat().st_size < 1_400_000
    with gzip.open(load.path, "rt", encoding="utf-8-sig") as content:
        if file.name.endswith(".json"):
            assert json.load(content)
        else:
            assert "," in content.readline()
    described = (contents.DATA / "SOURCES.md").read_text()
    stem = file.name.partition(".")[0]
    assert file.name in described or any(
        f"`{start}*.json`" in described for start in ("Establishment", "LA", "England") if stem.startswith(start)
    )


def test_every_file_of_the_demo_is_loaded_or_described() -> None:
    loaded = {f"{file.name}.gz" for file in contents.FILES}
    there = {path.name for path in contents.DATA.glob("*.gz")}
    assert loaded == there


def test_the_demo_names_no_person() -> None:
    telling = ("head", "firstname", "first name", "lastname", "last name", "surname", "email", "phone")
    for file in contents.FILES:
        with gzip.open(contents.DATA / f"{file.name}.gz", "rt", encoding="utf-8-sig") as content:
            start = content.read(20_000).lower()
        names = (
            set(json.loads(start[: start.rindex("}") + 1] + "]")[0])
            if file.name.endswith(".json")
            else set(start.split("\n", 1)[0].replace('"', "").split(","))
        )
        assert not [name for name in names if any(word in name for word in telling) and "headc" not in name]


@pytest.mark.parametrize("is_meant", [True, False])
def test_a_file_for_another_year_is_sent_again_when_that_is_meant(
    serve: Callable[..., tuple[str, Served]], tmp_path: Path, *, is_meant: bool
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x")
    code, detail = "same-file-other-year", "The same file was loaded for 2017/18."
    url, served = serve(told(409, {"code": code, "detail": detail}), told(202, an_import("queued")))
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return is_meant

    with Api(url) as api:
        if is_meant:
            assert importing.send_confirmed(api, Load("dfe-ks4", path, "2018/19"), ask)["state"] == "queued"
        else:
            with pytest.raises(Refused, match="2017/18"):
                importing.send_confirmed(api, Load("dfe-ks4", path, "2018/19"), ask)
    assert questions == [detail]
    assert [f"confirm={code}" in request[1] for request in served.requests] == [False, True][: 1 + is_meant]
