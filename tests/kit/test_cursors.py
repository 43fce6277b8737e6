"""Cursors hold for one list, one set of filters and one tenant, and nobody can make one up."""

import base64
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.cursors import LONGEST_CURSOR, decode, encode, signing
from kit.key_ring import KeyRing
from kit.problems import InvalidCursor
from kit.web.app import Service
from tests.kit.sample import sample_client
from tests.support.tokens import OTHER_TRUST, PROSPERE

SECRET = "a-secret-key-that-only-the-tests-know"
RING = KeyRing.of([SECRET])
OTHER = "another-secret-of-another-deployment"
VALUES = st.lists(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30), min_size=1, max_size=5
)
FILTERS: dict[str, Any] = {"phase": ["secondary"], "q": None}


def made(values: list[Any], **changes: Any) -> str:
    """A cursor of a list."""
    return encode("things", values, **{"tenant": PROSPERE, "filters": FILTERS, **changes})


def read(cursor: str, name: str = "things", **changes: Any) -> list[Any]:
    """What is in it."""
    return decode(name, cursor, **{"tenant": PROSPERE, "filters": FILTERS, **changes})


@given(VALUES)
def test_what_went_in_comes_out(values: list[Any]) -> None:
    with signing(RING):
        cursor = made(values)
        assert read(cursor) == values
        assert cursor.isascii()
        assert "=" not in cursor


def test_ids_and_numbers_go_in() -> None:
    one = uuid4()
    with signing(RING):
        assert read(made([one, 1.5, "z\u00fcrich"])) == [str(one), 1.5, "z\u00fcrich"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"name": "others"},
        {"name": "thing"},
        {"tenant": OTHER_TRUST},
        {"tenant": "follower"},
        {"filters": {"phase": ["primary"], "q": None}},
        {"filters": {"phase": ["secondary"], "q": ""}},
        {"filters": {"phase": ["secondary"]}},
        {"filters": {}},
        {"filters": None},
    ],
)
def test_cursor_is_refused_elsewhere(elsewhere: dict[str, Any]) -> None:
    with signing(RING):
        cursor = made([1])
        with pytest.raises(InvalidCursor) as refused:
            read(cursor, **elsewhere)
    assert refused.value.errors[0].parameter == "cursor"


def test_order_of_filters_does_not_matter() -> None:
    with signing(RING):
        cursor = made([1], filters={"a": 1, "b": {UUID(int=1), UUID(int=2)}})
        assert read(cursor, filters={"b": {UUID(int=2), UUID(int=1)}, "a": 1}) == [1]


def test_cursor_of_another_deployment_is_refused() -> None:
    with signing(RING):
        cursor = made([1])
    with signing(KeyRing.of([OTHER])), pytest.raises(InvalidCursor):
        read(cursor)


def test_a_cursor_counts_while_its_key_is_in_the_ring_and_the_newest_makes_the_next() -> None:
    with signing(RING):
        old = made([1])
    rotated = KeyRing.of([OTHER, SECRET])
    with signing(rotated):
        assert read(old) == [1]
        new = made([1])
    with signing(KeyRing.of([OTHER])):
        assert read(new) == [1]
        with pytest.raises(InvalidCursor):
            read(old)


@given(position=st.integers(0, 10_000), letter=st.sampled_from("ABCabc019-_"))
def test_altered_cursor_is_refused(position: int, letter: str) -> None:
    with signing(RING):
        cursor = made([12345, "name"])
        place = position % len(cursor)
        altered = cursor[:place] + letter + cursor[place + 1 :]
        if altered != cursor:
            with pytest.raises(InvalidCursor):
                read(altered)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_invented_cursor_is_refused_and_nothing_worse(cursor: str) -> None:
    with signing(RING), pytest.raises(InvalidCursor):
        read(cursor)


def test_other_spellings_are_refused() -> None:
    with signing(RING):
        cursor = made([1, "abc"])
        for spelling in (
            cursor + "=",
            cursor + "==",
            cursor + "A",
            cursor + "\n",
            " " + cursor,
            cursor[:-1],
            cursor * 2,
        ):
            with pytest.raises(InvalidCursor):
                read(spelling)
        with pytest.raises(InvalidCursor):
            read("A" * (LONGEST_CURSOR + 1))


def test_without_a_key_there_are_no_cursors() -> None:
    with pytest.raises(LookupError):
        made([1])


async def test_pages_follow_each_other_to_the_end(thing_client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    url: str | None = "/sample/v1/things?limit=3&colour=red&colour=green"
    while url is not None:
        answer = await thing_client.get(url)
        body = answer.json()
        seen += [item["id"] for item in body["items"]]
        url = answer.links["next"]["url"] if "next" in answer.links else None
        assert (url is None) == (body["next"] is None)
        if url is not None:
            assert f"cursor={body['next']}" in url
            assert url.count("colour=") == 2
    assert seen == [1, 2, 3, 4, 5, 6, 7]


async def test_last_page_that_is_full_ends_the_list(thing_client: httpx.AsyncClient) -> None:
    answer = await thing_client.get("/sample/v1/things", params={"limit": 7})
    assert answer.json()["next"] is None
    assert "link" not in answer.headers


async def test_limit_may_change_between_pages(thing_client: httpx.AsyncClient) -> None:
    first = (await thing_client.get("/sample/v1/things", params={"limit": 2})).json()
    second = await thing_client.get("/sample/v1/things", params={"limit": 5, "cursor": first["next"]})
    assert [item["id"] for item in second.json()["items"]] == [3, 4, 5, 6, 7]


async def test_cursor_of_another_trust_or_filter_is_400(sample: Service, thing_client: httpx.AsyncClient) -> None:
    cursor = (await thing_client.get("/sample/v1/things", params={"limit": 2})).json()["next"]
    async with sample_client(sample, trust=OTHER_TRUST) as other:
        for client, params in (
            (other, {"cursor": cursor}),
            (thing_client, {"cursor": cursor, "colour": "red"}),
            (thing_client, {"cursor": cursor, "q": "x"}),
            (thing_client, {"cursor": cursor[:-1]}),
            (thing_client, {"cursor": "1"}),
        ):
            answer = await client.get("/sample/v1/things", params=params)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")
            assert answer.json()["errors"][0]["pointer"] == "/query/cursor"
