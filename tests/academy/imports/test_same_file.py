"""The same bytes for another academic year: refused until the sender says that it is meant so."""

import pytest

from tests.academy.imports.conftest import IMPORTS, Workbench
from tests.support.tokens import OTHER_TRUST

FILE = "urn,measure,value\n136105,ks4.attainment_8,47.5\n"
CONFIRMED = {"confirm": "same-file-other-year"}


async def test_the_same_file_for_another_year_must_be_confirmed(bench: Workbench) -> None:
    manager = await bench.client()
    first = await bench.load(manager, "observations", FILE, academic_year="2023/24")
    assert first["state"] == "succeeded"
    for dry_run in (False, True):
        refused = await bench.send(manager, "observations", FILE, academic_year="2024/25", dry_run=dry_run)
        assert (refused.status_code, refused.json()["code"]) == (409, "same-file-other-year")
        for word in ("2023/24", first["id"], "confirm=same-file-other-year"):
            assert word in refused.json()["detail"]
    assert len((await manager.get(IMPORTS)).json()["items"]) == 1
    confirmed = await bench.load(manager, "observations", FILE, academic_year="2024/25", **CONFIRMED)
    assert (confirmed["state"], confirmed["rows_new"]) == ("succeeded", 1)


async def test_a_file_that_waits_to_be_read_counts_too(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    assert (await bench.send(operator, "dfe-ks4", "URN\n1\n", academic_year="2017/18")).status_code == 202
    assert (await bench.send(operator, "dfe-ks4", "URN\n1\n", academic_year="2018/19")).status_code == 409


async def test_nothing_is_asked_of_the_same_year_another_file_or_another_trust(bench: Workbench) -> None:
    manager, other = await bench.client(), await bench.client(trust=OTHER_TRUST)
    await bench.load(manager, "observations", FILE, academic_year="2023/24")
    assert (await bench.send(manager, "observations", FILE, academic_year="2023/24")).status_code == 202
    assert (await bench.send(manager, "observations", FILE + "\n", academic_year="2024/25")).status_code == 202
    assert (await bench.send(other, "observations", FILE, academic_year="2024/25")).status_code == 202


@pytest.mark.parametrize("how", ["trial", "failed", "cancelled", "withdrawn"])
async def test_what_was_not_kept_does_not_count(bench: Workbench, how: str) -> None:
    manager = await bench.client()
    content = FILE.replace("47.5", "4O") if how == "failed" else FILE
    sent = await bench.send(manager, "observations", content, academic_year="2023/24", dry_run=how == "trial")
    location = sent.headers["Location"]
    if how == "cancelled":
        await manager.post(f"{location}/cancel", headers={"If-Match": sent.headers["ETag"]})
    await bench.work()
    if how == "withdrawn":
        tag = (await manager.get(location)).headers["ETag"]
        await manager.post(f"{location}/withdraw", json={"reason": "The wrong year."}, headers={"If-Match": tag})
        await bench.work()
    assert (await bench.send(manager, "observations", content, academic_year="2024/25")).status_code == 202
