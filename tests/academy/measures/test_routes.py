"""The catalogue of measures over HTTP."""

from academy.measures.rules import MEASURES
from tests.support.clients import Clients

PATH = "/academy/v1/measures"


async def test_the_catalogue_is_listed_page_by_page(client: Clients) -> None:
    reader = await client("academy", "teacher-researcher")
    seen: list[str] = []
    params: dict[str, str] = {"limit": "7"}
    while True:
        response = await reader.get(PATH, params=params)
        body = response.json()
        seen += [measure["code"] for measure in body["items"]]
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
    assert seen == list(MEASURES)


async def test_measures_are_found_by_phase_and_words(client: Clients) -> None:
    reader = await client("academy", "trustee")
    primary = (await reader.get(PATH, params={"phase": "primary", "limit": 500})).json()["items"]
    assert primary
    assert all("primary" in measure["phases"] for measure in primary)
    found = (await reader.get(PATH, params={"q": "progress 8"})).json()["items"]
    assert "ks4.progress_8" in [measure["code"] for measure in found]
    assert (await reader.get(PATH, params={"q": "no such thing"})).json() == {"items": [], "next": None, "total": None}


async def test_a_measure_says_when_it_is_not_published(client: Clients) -> None:
    reader = await client("academy", "trustee")
    response = await reader.get(f"{PATH}/ks4.progress_8")
    body = response.json()
    assert (body["unit"], body["direction"], body["has_interval"]) == ("points", "higher_is_better", True)
    assert "2024/25" in [gap["academic_year"] for gap in body["not_published"]]
    again = await reader.get(f"{PATH}/ks4.progress_8", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


async def test_an_unknown_measure_is_not_found_and_a_close_one_is_named(client: Clients) -> None:
    response = await (await client("academy", "trustee")).get(f"{PATH}/ks4.progres_8")
    assert (response.status_code, response.json()["code"]) == (404, "measure-not-found")
    assert "ks4.progress_8" in response.json()["detail"]


async def test_measures_need_a_token_with_the_scope(client: Clients) -> None:
    for path in (PATH, f"{PATH}/ks4.progress_8"):
        assert (await (await client("academy")).get(path)).status_code == 401
        assert (await (await client("academy", "status-reader")).get(path)).status_code == 403


async def test_a_page_of_the_catalogue_is_read_on_condition(client: Clients) -> None:
    reader, other = await client("academy", "trustee"), await client("academy", "mis-client")
    first = await reader.get(PATH, params={"limit": 7})
    known = {"If-None-Match": first.headers["ETag"]}
    for again in (reader, other):
        unchanged = await again.get(PATH, params={"limit": 7}, headers=known)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert "Link" in unchanged.headers
    others: list[dict[str, str]] = [
        {"limit": "8"},
        {"limit": "7", "phase": "primary"},
        {"limit": "7", "cursor": first.json()["next"]},
    ]
    for params in others:
        assert (await reader.get(PATH, params=params, headers=known)).status_code == 200
