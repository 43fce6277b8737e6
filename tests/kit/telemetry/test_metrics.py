"""Numbers: by route template and status, however many ids and methods somebody makes up."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from kit.telemetry.metrics import Metrics
from kit.web.app import Service
from tests.kit.sample import sample_client, sample_service


def samples(text: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of one name by their labels."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


async def scraped(client: httpx.AsyncClient, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of one name as Prometheus reads them."""
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text, name)


async def test_requests_are_counted_by_template() -> None:
    async with sample_client(sample_service()) as client:
        for number in range(1, 6):
            await client.get(f"/sample/v1/things/{number}")
        await client.get("/sample/v1/things/999")
        found = await scraped(client, "trellis_http_request_duration_seconds_count")
    common = {"method": "GET", "route": "/sample/v1/things/{number}", "service": "sample"}
    assert found[tuple(sorted({**common, "status": "200"}.items()))] == 5
    assert found[tuple(sorted({**common, "status": "404"}.items()))] == 1


async def test_nobody_can_make_up_new_labels() -> None:
    async with sample_client(sample_service()) as client:
        for number in range(50):
            await client.get(f"/made/up/{number}")
            await client.request(f"VERB{number}", "/sample/v1/things")
        found = await scraped(client, "trellis_http_request_duration_seconds_count")
    routes = {dict(labels)["route"] for labels in found}
    methods = {dict(labels)["method"] for labels in found}
    assert routes == {"(none)", "/sample/v1/things"}
    assert methods == {"GET", "other"}


async def test_problems_are_counted_by_code() -> None:
    async with sample_client(sample_service()) as client:
        await client.get("/sample/v1/things/999")
        await client.get("/sample/v1/fail", params={"how": "gone"})
        found = await scraped(client, "trellis_http_problems_total")
    assert {dict(labels)["code"] for labels in found} == {"not-found", "database-unavailable"}


async def test_prepared_answers_are_counted() -> None:
    async with sample_client(sample_service()) as client:
        for tag in ("x", '"v1"', "x"):
            await client.get("/sample/v1/polled", headers={"If-None-Match": tag})
        found = await scraped(client, "trellis_prepared_answers_total")
    assert {dict(labels)["outcome"]: value for labels, value in found.items()} == {
        "hit": 1, "not_modified": 1, "made": 1,
    }  # fmt: skip


async def test_process_and_running_requests_are_told(sample: Service, thing_client: httpx.AsyncClient) -> None:
    text = (await thing_client.get("/metrics")).text
    assert samples(text, "process_resident_memory_bytes")
    # The one that asks.
    assert list(samples(text, "trellis_http_requests_running").values()) == [1]


def test_apps_of_one_process_count_apart() -> None:
    one, two = Metrics("one"), Metrics("two")
    one.end(one.begin(), "GET", "/x", 200)
    assert b'service="one"' in one.exposition()
    assert b"request_duration_seconds_count{" not in two.exposition()
