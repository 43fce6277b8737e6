"""Versions as tags: read on condition, write only over what was read."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.etags import check_if_match, etag, matches, tags_of
from kit.problems import PreconditionFailed

# What can stand inside a tag (RFC 9110, 8.8.3).
TAG = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'), max_size=20)


@given(TAG, st.booleans())
def test_tag_matches_itself_weak_or_strong(version: str, weak: bool) -> None:
    tag = etag(version)
    assert matches(f"W/{tag}" if weak else tag, tag)
    assert matches(tag, f"W/{tag}" if weak else tag)


@given(st.lists(TAG, min_size=1, max_size=5), TAG, st.sampled_from([",", ", ", " ,\t", ",,", ", ,"]))
def test_list_names_each_of_its_tags_and_no_other(versions: list[str], other: str, between: str) -> None:
    header = between.join(etag(version) for version in versions)
    assert tags_of(header) == set(versions)
    assert all(matches(header, etag(version)) for version in versions)
    assert matches(header, etag(other)) == (other in versions)


def test_tag_that_looks_like_a_star_is_a_tag() -> None:
    assert matches('"*"', '"*"')
    assert not matches('"*"', '"7"')


@given(st.text(max_size=100))
def test_any_header_is_read_or_not_and_nothing_worse(header: str) -> None:
    found = tags_of(header)
    assert found is None or isinstance(found, set)


@pytest.mark.parametrize(
    "header", ["7", 'w/"7"', '"7', '7"', '"7" "8"', "W/", "", " ", '"7",*', "'7'", '"a b"', "*, *"]
)
def test_what_is_no_tag_matches_nothing(header: str) -> None:
    assert tags_of(header) is None
    assert not matches(header, '"7"')


def test_star_matches_everything() -> None:
    assert matches("*", '"7"')
    assert not matches(None, '"7"')


def test_hostile_header_is_read_in_no_time() -> None:
    """No backtracking without end."""
    assert tags_of('"a",' * 900 + "x") is None
    assert tags_of("," * 4000 + "x") is None
    assert tags_of('"a"' + ",    " * 700 + "x") is None
    assert tags_of('"' * 4000) is None
    assert tags_of('"a",' * 100_000) is None


@pytest.mark.parametrize("version", ['a"b', "a b", "a\n", "\x00", "\u20ac"])
def test_version_that_cannot_stand_in_a_header_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="can't be"):
        etag(version)


def test_write_over_another_version_is_refused_with_the_current_tag() -> None:
    check_if_match('W/"7"', '"7"')
    check_if_match('"6", "7"', '"7"')
    check_if_match("*", '"7"')
    with pytest.raises(PreconditionFailed) as refused:
        check_if_match('"6"', '"7"')
    assert refused.value.headers == {"ETag": '"7"'}


@pytest.mark.parametrize("header", ['"3"', 'W/"3"', '"1", W/"3"', "*"])
async def test_reader_who_has_the_version_gets_no_body(thing_client: httpx.AsyncClient, header: str) -> None:
    answer = await thing_client.get("/sample/v1/things/3", headers={"If-None-Match": header})
    assert answer.status_code == 304
    assert answer.headers["etag"] == '"3"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert not answer.content
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("header", ['"4"', "3", "garbage", 'W/"33"'])
async def test_reader_with_another_version_gets_the_body(thing_client: httpx.AsyncClient, header: str) -> None:
    answer = await thing_client.get("/sample/v1/things/3", headers={"If-None-Match": header})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')


async def test_several_headers_are_one_list(thing_client: httpx.AsyncClient) -> None:
    headers = [("If-None-Match", '"1"'), ("If-None-Match", '"3"')]
    assert (await thing_client.get("/sample/v1/things/3", headers=headers)).status_code == 304


@pytest.mark.parametrize(("method", "json"), [("PATCH", {"name": "x"}), ("DELETE", None)])
async def test_writes_need_the_version_that_was_read(
    thing_client: httpx.AsyncClient, method: str, json: dict[str, str] | None
) -> None:
    async def answer(header: str | None) -> httpx.Response:
        headers = {"If-Match": header} if header is not None else {}
        return await thing_client.request(method, "/sample/v1/things/3", json=json, headers=headers)

    missing = await answer(None)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required")
    stale = await answer('"2"')
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert stale.headers["etag"] == '"3"'
    unreadable = await answer("3")
    assert unreadable.status_code == 422
    assert unreadable.json()["errors"][0]["pointer"] == "/header/if-match"
    assert (await answer('W/"3"')).status_code in {200, 204}
    assert (await answer("*")).status_code in {200, 204}
