"""Any program may be killed at any moment: nothing that was acknowledged is lost, and nothing is done twice."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.stack import Stack, eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

# The smaller demo trust: the board of the other one stays as it is.
TRUST = "3010"
WRITES = 2_000
WRITERS = 8
KILLS = 2


def board_answers(stack: Stack) -> bool:
    """Whether a status can be pulled through the gateway."""
    try:
        with stack.client("status-reader") as reader:
            return reader.get("/academy/v1/rag-statuses").status_code == 200
    except httpx.HTTPError:
        return False


def test_killed_programs_come_back(stack_alone: Stack) -> None:
    names = ["academy", "identity", "envoy", "academy-worker", "research-worker"]
    killed = {name: stack_alone.kill(name) for name in names}
    for name, pid in killed.items():
        stack_alone.until_ready(name, other_than=pid, seconds=120)
    eventually(lambda: board_answers(stack_alone), 60)


def test_a_killed_database_comes_back(stack_alone: Stack) -> None:
    killed = stack_alone.kill("postgres")
    stack_alone.until_ready("postgres", other_than=killed)
    eventually(lambda: board_answers(stack_alone), 60)
    eventually(lambda: bool(stack_alone.status()["ready"]), 60)


class Writer:
    """Drafts criteria sets, each under a key of its own, and insists until it has an answer."""

    def __init__(self, stack: Stack) -> None:
        self._http = stack.client("chief-executive", trust=TRUST)
        self._stack = stack
        self._renewed_at = time.monotonic()

    def draft(self, number: int) -> dict[str, object]:
        """The answer to one write, however often it had to be sent."""
        body = {
            "phase": "special",
            "title": f"Draft {number}",
            "criteria": [
                {
                    "code": "overall_absence",
                    "title": "Overall absence",
                    "measure": "absence.overall_percent",
                    "direction": "lower_is_better",
                    "bounds": {"green": 10, "amber": number % 50 + 11},
                }
            ],
        }
        deadline = time.monotonic() + 240
        while True:
            self._renew()
            try:
                answer = self._http.post(
                    "/academy/v1/criteria-sets", json=body, headers={"Idempotency-Key": f"draft-{number}"}
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 201:
                told: dict[str, object] = answer.json()
                return told
            # Another try of the same key may still be under way: 409 says so.
            assert answer is None or answer.status_code in {409, 429, 502, 503, 504}, answer.text
            assert time.monotonic() < deadline, "no answer came"
            time.sleep(random.uniform(0.05, 0.3))

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_at > 300:
            token = self._stack.token("chief-executive", trust=TRUST)
            self._http.headers["Authorization"] = f"Bearer {token}"
            self._renewed_at = time.monotonic()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


def test_two_thousand_writes_survive_kills_of_the_service(stack_alone: Stack) -> None:
    local = threading.local()
    writers: list[Writer] = []

    def draft(number: int) -> dict[str, object]:
        if not hasattr(local, "writer"):
            local.writer = Writer(stack_alone)
            writers.append(local.writer)
        writer: Writer = local.writer
        return writer.draft(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = [pool.submit(draft, number) for number in range(WRITES)]
        for part in range(1, KILLS + 1):
            # In the middle of the work, however fast this machine is.
            wanted = WRITES * part // (KILLS + 2)
            while sum(answer.done() for answer in answers) < wanted:
                time.sleep(0.05)
            killed = stack_alone.kill("academy")
            stack_alone.until_ready("academy", other_than=killed, seconds=120)
        first = [answer.result() for answer in answers]
        again = list(pool.map(draft, range(WRITES)))

    # Sent once more, each key gives the very answer that it gave before.
    assert again == first
    assert len({answer["id"] for answer in first}) == WRITES
    with stack_alone.client("chief-executive", trust=TRUST) as chief:
        kept: list[str] = []
        cursor: str | None = None
        while True:
            parameters = {"limit": "500", "state": "draft", **({"cursor": cursor} if cursor else {})}
            page = chief.get("/academy/v1/criteria-sets", params=parameters).json()
            kept += [item["id"] for item in page["items"] if item["title"].startswith("Draft ")]
            cursor = page["next"]
            if cursor is None:
                break
    assert sorted(kept) == sorted(str(answer["id"]) for answer in first)
    for writer in writers:
        writer.close()
