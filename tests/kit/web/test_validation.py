"""Everything that is wrong is told at once, each with a pointer to where."""

from typing import Annotated, Any, Literal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from kit.resources.fields import HttpsUrl, Title, Words
from kit.web.validation import field_errors, query_errors

URL = "/sample/v1/things"


def told(answer: httpx.Response) -> set[tuple[str, str]]:
    """Pointers and codes of a 422."""
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid-request"
    return {(error["pointer"], error["code"]) for error in body["errors"]}


async def test_every_error_of_a_body_is_told_at_once(thing_client: httpx.AsyncClient) -> None:
    body = {
        "name": "",
        "colour": "blue",
        "measures": [{"code": "a", "value": 101}, {"value": "many", "extra": 1}, 3],
        "tags": {"a/b": 1},
        "made_on": "2026-02-30",
        "unknown": None,
    }
    assert told(await thing_client.post(URL, json=body)) == {
        ("#/name", "string_too_short"),
        ("#/colour", "enum"),
        ("#/measures/0/value", "less_than_equal"),
        ("#/measures/1/code", "missing"),
        ("#/measures/1/value", "int_type"),
        ("#/measures/1/extra", "unknown_field"),
        ("#/measures/2", "model_type"),
        ("#/tags/a~1b", "string_type"),
        ("#/made_on", "date_parsing"),
        ("#/unknown", "unknown_field"),
    }


async def test_errors_of_query_path_header_and_body_are_told_together(thing_client: httpx.AsyncClient) -> None:
    answer = await thing_client.patch(f"{URL}/three?dry=1&dry=2", json={"name": 1}, headers={"If-Match": '"3"'})
    assert told(answer) == {
        ("/query/dry", "unknown_parameter"),
        ("/path/number", "int_parsing"),
        ("#/name", "string_type"),
    }


async def test_errors_of_a_query_are_told_together(thing_client: httpx.AsyncClient) -> None:
    answer = await thing_client.get(f"{URL}?limit=0&colour=blue&q={'x' * 21}&phase=primary&cursor=&limit=5")
    assert told(answer) == {
        ("/query/limit", "repeated_parameter"),
        ("/query/colour", "enum"),
        ("/query/q", "string_too_long"),
        ("/query/phase", "unknown_parameter"),
        ("/query/cursor", "string_too_short"),
    }


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}/3?verbose=true",
        f"{URL}/3/publish?x",
        "/sample/v1/open?=1",
        "/sample/v1/anybody?Limit=1",
        "/sample/v1/polled?x=1",
        f"{URL}?LIMIT=1",
        f"{URL}?limit[]=1",
    ],
)
async def test_unknown_parameter_is_refused_on_every_route(thing_client: httpx.AsyncClient, url: str) -> None:
    method = "POST" if "publish" in url else "GET"
    found = told(await thing_client.request(method, url))
    assert {code for _, code in found} == {"unknown_parameter"}


async def test_repeated_filter_is_a_filter(thing_client: httpx.AsyncClient) -> None:
    assert (await thing_client.get(f"{URL}?colour=red&colour=green")).status_code == 200


@pytest.mark.parametrize("query", ["q=a&q=b", "limit=1&limit=1", "cursor=a&cursor=b"])
async def test_repeated_scalar_is_refused(thing_client: httpx.AsyncClient, query: str) -> None:
    assert "repeated_parameter" in {code for _, code in told(await thing_client.get(f"{URL}?{query}"))}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"q=%00", "nul_character"),
        (b"q=a%00b", "nul_character"),
        (b"q%00=a", "nul_character"),
        (b"q=%ff", "not_utf8"),
        (b"q=%ed%a0%80", "not_utf8"),
        (b"q=%c0%80", "not_utf8"),
        (b"%ff=a", "not_utf8"),
        (b"q=\xff", "not_utf8"),
    ],
)
def test_text_that_cannot_be_kept_is_refused(raw: bytes, code: str) -> None:
    assert [error.code for error in query_errors(raw, {"q": False})] == [code]


@pytest.mark.parametrize("raw", [b"", b"&", b"&&q=a&", b"q", b"q=", b"q=%C3%A9", b"q=a%26q%3Db", b"q=a+b", b"q=a=b"])
def test_plain_text_is_taken(raw: bytes) -> None:
    assert query_errors(raw, {"q": False}) == []


@given(st.binary(max_size=300))
def test_any_query_is_checked_and_nothing_worse(raw: bytes) -> None:
    for error in query_errors(raw, {"q": False, "limit": False}):
        assert error.pointer.startswith("/query/")
        error.model_dump_json()


def test_endless_query_gets_a_bounded_answer() -> None:
    errors = query_errors(b"&".join(b"%s=1" % (b"x" * 500) for _ in range(5000)), {})
    assert len(errors) == 100
    assert len(errors[0].parameter or "") == 100


class Cat(BaseModel):
    """A kind of pet."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """Another."""

    kind: Literal["dog"]
    tricks: list[str]


class Owner(BaseModel):
    """Has pets."""

    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]
    number: int | bool


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"pets": [{"kind": "cat"}], "number": 1}, {"#/pets/0/lives"}),
        ({"pets": [{"kind": "dog", "tricks": [1]}], "number": 1}, {"#/pets/0/tricks/0"}),
        ({"pets": [{"kind": "cow"}], "number": 1}, {"#/pets/0"}),
        ({"pets": [], "number": "x"}, {"#/number"}),
        ({"pets": {}, "number": 1}, {"#/pets"}),
        ([], {"#"}),
    ],
)
def test_pointers_lead_into_the_body_and_not_into_our_models(body: Any, pointers: set[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Owner.model_validate(body)
    raw = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    assert {error.pointer for error in field_errors(raw, body)} == pointers


class Written(BaseModel):
    """What people write."""

    title: Title = "A title"
    reason: Words = "A reason"
    link: HttpsUrl = "https://a.example.org"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"title": "a\nb"}, "one line"),
        ({"reason": "   "}, "blank"),
        ({"link": "http://a.example.org"}, "https://"),
    ],
)
def test_no_error_shows_a_pattern_that_only_programs_can_read(body: dict[str, str], detail: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Written.model_validate(body)
    found = caught.value.errors(include_url=False, include_context=False, include_input=False)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in found]
    (only,) = field_errors(errors, body)
    assert only.code == "string_pattern_mismatch"
    assert detail in only.detail


def test_answer_repeats_no_values() -> None:
    secret = "a-password-typed-into-the-wrong-field"
    with pytest.raises(ValidationError) as refused:
        Owner.model_validate({"pets": secret, "number": secret})
    raw = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    assert secret not in repr(field_errors(raw, {"pets": secret}))
