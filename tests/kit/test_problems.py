"""One shape for everything that goes wrong."""

from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from kit import problems
from kit.database.outages import DatabaseUnavailable, outages_as_503
from kit.field_codes import KitCode
from kit.problems import (
    PROBLEMS,
    Conflict,
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    Problem,
    ProblemOut,
    ServiceUnavailable,
    responses,
)
from kit.web.answers import problem_of, problem_response
from kit.web.app import Service
from tests.kit.sample import SampleTransport, sample_client
from tests.support.contracts import ContractBroken


class CriteriaAlreadyPublished(Conflict):
    """These criteria were published before."""


class UPRNTaken(Conflict):
    """There is such a UPRN already."""


class Renamed(Conflict):
    """It is named otherwise."""

    code = "other-name"
    title = "Another name"


@pytest.mark.parametrize(
    ("problem", "code", "title"),
    [
        (CriteriaAlreadyPublished, "criteria-already-published", "Criteria already published"),
        (UPRNTaken, "uprn-taken", "UPRN taken"),
        (Renamed, "other-name", "Another name"),
        (NotFound, "not-found", "Not found"),
        (problems.InsufficientScope, "insufficient-scope", "Insufficient scope"),
    ],
)
def test_sad_fact_is_code_and_title(problem: type[Problem], code: str, title: str) -> None:
    assert (problem.code, problem.title) == (code, title)


def test_body_has_every_member_and_the_extensions() -> None:
    error = FieldError.in_body(["a", 0], KitCode.MISSING, "It is missing.")
    body = CriteriaAlreadyPublished("Since May.", errors=[error], published_on="2026-05-01").body(
        instance="/x", trace_id="t"
    )
    assert body == {
        "type": "urn:trellis:problem:criteria-already-published",
        "title": "Criteria already published",
        "status": 409,
        "detail": "Since May.",
        "instance": "/x",
        "code": "criteria-already-published",
        "trace_id": "t",
        "errors": [{"pointer": "#/a/0", "parameter": None, "code": "missing", "detail": "It is missing."}],
        "published_on": "2026-05-01",
    }
    ProblemOut.model_validate(body)


@given(st.lists(st.text(max_size=10) | st.integers(0, 99), max_size=5))
def test_pointers_are_uri_fragments(path: list[str | int]) -> None:
    pointer = FieldError.in_body(path, KitCode.MISSING, "x").pointer
    assert pointer.isascii()
    assert pointer.count("/") == len(path)


@pytest.mark.parametrize(
    ("given_", "shown"), [("/items/0", "#/items/0"), ("", "#"), ("#/a", "#/a"), ("/query/a", "/query/a")]
)
def test_plain_pointers_of_slices_lead_into_the_body(given_: str, shown: str) -> None:
    assert FieldError(pointer=given_, code="x", detail="x").pointer == shown


def test_names_from_outside_are_said_back_shortened_and_printable() -> None:
    error = FieldError.in_query("a\n\x1b[31m" + "x" * 500, KitCode.UNKNOWN_PARAMETER, "x")
    assert len(error.parameter or "") == 100
    assert (error.parameter or "").isprintable()


def test_problems_of_one_status_share_a_response() -> None:
    told = responses(CriteriaAlreadyPublished, UPRNTaken, NotFound)
    assert set(told) == {404, 409}
    assert told[409]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/ProblemOut"}
    assert set(told[409][PROBLEMS]) == {"criteria-already-published", "uprn-taken"}
    assert told[409][PROBLEMS]["uprn-taken"]["means"] == "There is such a UPRN already"


def test_a_problem_without_a_sentence_of_its_own_says_what_it_means() -> None:
    assert NotFound().body(instance="/x", trace_id="t")["detail"] == "It doesn't exist, or isn't the caller's to see."


def test_unavailable_says_when_to_come_back() -> None:
    assert ServiceUnavailable(retry_after_seconds=7).headers == {"Retry-After": "7"}
    assert ServiceUnavailable(headers={"Retry-After": "9"}).headers == {"Retry-After": "9"}


class UpstreamTooSlow(Problem):
    """Something behind us didn't answer in time."""

    status = 504


@pytest.mark.parametrize("kind", [problems.TooManyRequests, ServiceUnavailable, DatabaseUnavailable, UpstreamTooSlow])
def test_every_problem_that_passes_says_when_to_come_back(kind: type[Problem]) -> None:
    assert kind("Later.").headers == {"Retry-After": "1"}
    assert kind("Later.", headers={"retry-after": "9"}).headers["retry-after"] == "9"
    assert "retry-after" not in {name.lower() for name in NotFound().headers}


async def test_too_many_requests_of_a_library_say_when_to_come_back() -> None:
    told = problem_of(HTTPException(429))
    assert told is not None
    assert told.headers == {"Retry-After": "1"}


def wrapped(cause: BaseException) -> DBAPIError:
    """A driver's error as SQLAlchemy passes it on."""
    original = AsyncAdapt_asyncpg_dbapi.Error("driver")  # type: ignore[no-untyped-call]
    original.__cause__ = cause
    return DBAPIError("select 1", {}, original)


OUTAGES: list[BaseException] = [
    ConnectionRefusedError(),
    ConnectionResetError(),
    FileNotFoundError("no such socket"),
    TimeoutError(),
    PoolTimeoutError("QueuePool limit"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    asyncpg.CrashShutdownError("x"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.TooManyConnectionsError("x"),
    asyncpg.ConnectionDoesNotExistError("x"),
    asyncpg.SerializationError("x"),
    asyncpg.DeadlockDetectedError("x"),
    asyncpg.QueryCanceledError("statement timeout"),
    asyncpg.LockNotAvailableError("x"),
    asyncpg.ReadOnlySQLTransactionError("a standby"),
]


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__name__)
def test_database_that_is_away_is_503_with_retry_after(error: BaseException) -> None:
    for one in (error, wrapped(error)) if isinstance(error, asyncpg.PostgresError) else (error,):
        problem = problem_of(one)
        assert problem is not None
        assert (problem.status, problem.code) == (503, "database-unavailable")
        assert int(problem.headers["Retry-After"]) > 0
    with pytest.raises(DatabaseUnavailable), outages_as_503():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.NumericValueOutOfRangeError("integer out of range"),
        asyncpg.CharacterNotInRepertoireError("invalid byte sequence"),
        asyncpg.DataError("invalid input for query argument $1: 'secret'"),
        asyncpg.InvalidTextRepresentationError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_value_that_cannot_be_stored_is_422_and_not_repeated(error: BaseException) -> None:
    for one in (error, wrapped(error)):
        problem = problem_of(one)
        assert problem is not None
        assert (problem.status, problem.code) == (422, "invalid-request")
        assert "secret" not in str(problem.body(instance="/", trace_id="t"))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(),
        KeyError("x"),
        wrapped(asyncpg.UniqueViolationError("duplicate key")),
        asyncpg.UndefinedTableError("x"),
        asyncpg.InsufficientPrivilegeError("x"),
        asyncpg.PostgresSyntaxError("x"),
        PermissionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_fault_of_ours_is_no_problem_of_the_caller(error: BaseException) -> None:
    assert problem_of(error) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429, 503])
def test_errors_of_the_framework_are_problems(status: int) -> None:
    problem = problem_of(HTTPException(status, headers={"Allow": "GET"}))
    assert problem is not None
    assert problem.status == status
    assert problem.headers["Allow"] == "GET"


def test_path_is_said_back_shortened_and_printable() -> None:
    scope = {"path": "/a\x00\x1b" + "x" * 1000, "trellis.request_id": "id"}
    body = bytes(problem_response(NotFound(), scope).body)
    assert b"\\u0000" not in body
    assert len(body) < 800


@pytest.mark.parametrize("how", ["gone", "interface", "shutdown", "serialization", "deadlock"])
async def test_outage_over_http(thing_client: httpx.AsyncClient, how: str) -> None:
    answer = await thing_client.get("/sample/v1/fail", params={"how": how})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    ProblemOut.model_validate(answer.json())


async def test_value_out_of_range_over_http(thing_client: httpx.AsyncClient) -> None:
    assert (await thing_client.get("/sample/v1/fail", params={"how": "range"})).status_code == 422


async def test_problem_of_a_route_keeps_its_own_members(thing_client: httpx.AsyncClient) -> None:
    answer = await thing_client.post("/sample/v1/things", json={"name": "taken"})
    assert (answer.status_code, answer.json()["code"], answer.json()["name_taken"]) == (409, "thing-taken", "taken")


async def test_problem_that_the_route_does_not_list_breaks_the_contract(thing_client: httpx.AsyncClient) -> None:
    with pytest.raises(ContractBroken, match="418"):
        await thing_client.get("/sample/v1/fail", params={"how": "undeclared"})


async def test_code_that_the_route_does_not_list_breaks_the_contract(sample: Service) -> None:
    """Also when it lists another problem of the same status."""
    transport = SampleTransport(sample)
    request = httpx.Request("POST", "http://x/sample/v1/things")
    body: dict[str, Any] = Conflict().body(instance="/", trace_id="t")
    assert transport._checker is not None
    transport._checker.check(request, httpx.Response(409, json={**body, "code": "thing-taken"}, headers=PROBLEM))
    with pytest.raises(ContractBroken, match="code"):
        transport._checker.check(request, httpx.Response(409, json=body, headers=PROBLEM))


PROBLEM = {"content-type": "application/problem+json"}


async def test_fault_tells_nothing_but_its_id(sample: Service, capfd: pytest.CaptureFixture[str]) -> None:
    async with sample_client(sample, checked=False) as client:
        answer = await client.get(
            "/sample/v1/fail", params={"how": "fault"}, headers={"X-Request-Id": "request-of-this-test"}
        )
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["trace_id"]) == ("internal-error", "request-of-this-test")
    assert "Somebody" not in answer.text
    assert '"request_id":"request-of-this-test"' in capfd.readouterr().out


def test_error_and_request_share_a_base() -> None:
    assert issubclass(problems.InsufficientScope, Forbidden)
    assert InvalidRequest.status == 422
