"""`make fuzz`: Schemathesis over every operation of every service, with tokens of roles that may call it.

Each pass is one role and the operations that it is the first to reach; no operation is without a pass. Two passes
run at a time, each as a process of its own. What we answer by design is declared in `schemathesis.toml`, with reasons.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HOUSE))

from gateway.identity.matrix import operations  # noqa: E402 - the house must be on the path first
from gateway.identity.roles import ROLES  # noqa: E402
from tests.support.stack import Stack, forget  # noqa: E402

CONFIG = Path(__file__).with_name("schemathesis.toml")

# The second demo trust: the first one's board stays as other tests expect it.
TRUST = "3010"
# What the platform's operator may change: a tenant made for it (schemathesis.toml names it too).
TENANT = "99999"

# Who tries which service, the broadest first; the last are for what only they may do.
TRIED_BY = {
    "academy": ("chief-executive", "data-manager"),
    "identity": ("trust-admin", "platform-operator"),
    "reporting": ("auditor",),
    "research": ("auditor",),
}
AT_ONCE = 2
EVERY_PHASE = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True, slots=True)
class Pass:
    """The operations of one service that are tried with one role's token."""

    service: str
    role: str
    operation_ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.service} as {self.role}"


@dataclass(frozen=True, slots=True)
class Budget:
    """How hard a pass tries: `examples` per operation, in these phases, again until `seconds` are spent."""

    examples: int
    phases: str
    seconds: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended, and all that was printed."""

    tried: Pass
    is_clean: bool
    said: str
    seconds: float


def passes() -> Iterator[Pass]:
    """Every pass; an operation belongs to the first role of its service that may call it."""
    for service, roles in TRIED_BY.items():
        contract = json.loads((HOUSE / "openapi" / f"{service}.v1.json").read_text())
        left = list(operations(contract))
        for role in roles:
            reached = [operation for operation in left if operation.allows(ROLES[role])]
            left = [operation for operation in left if operation not in reached]
            yield Pass(service, role, tuple(operation.operation_id for operation in reached))


def prepare(stack: Stack) -> None:
    """Register the tenant that may be changed in every way."""
    with stack.client("platform-operator") as operator:
        said = operator.post("/identity/v1/tenants", json={"group_uid": TENANT, "name": "A trust to try things on"})
        assert said.status_code in {201, 409}, said.text


def try_it(stack: Stack, tried: Pass, budget: Budget) -> Outcome:
    """Run Schemathesis on the operations of a pass."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "schemathesis.cli",
        f"--config-file={CONFIG}",
        "run",
        str(HOUSE / "openapi" / f"{tried.service}.v1.json"),
        f"--url={stack.url}",
        f"--header=Authorization: Bearer {stack.token(tried.role, trust=TRUST)}",
        "--checks=all",
        f"--phases={budget.phases}",
        f"--max-examples={budget.examples}",
        # Hypothesis isn't safe in several threads of Python 3.11: a pass has one worker.
        "--workers=1",
        "--no-color",
        *(f"--include-operation-id={operation_id}" for operation_id in tried.operation_ids),
        *([] if budget.seconds is None else [f"--max-time={budget.seconds}"]),
        *([] if budget.seed is None else [f"--seed={budget.seed}", "--generation-database=none"]),
    ]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trellis-fuzz-") as folder:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return Outcome(tried, done.returncode == 0, done.stdout, time.monotonic() - began)


def _share(tried: Pass, everything: Sequence[Pass], minutes: float) -> int:
    """The seconds of a pass: by its operations, yet enough for the phases of fixed length."""
    count = sum(len(one.operation_ids) for one in everything)
    return max(30, round(60 * minutes * AT_ONCE * len(tried.operation_ids) / count))


def try_all(stack: Stack, minutes: float) -> Iterator[Outcome]:
    """Run every pass, some at a time, within about so many minutes, and tell of each in turn."""
    prepare(stack)
    # The longest comes first, so that the others fit beside it.
    wanted = sorted(passes(), key=lambda tried: -len(tried.operation_ids))

    def one(tried: Pass) -> Outcome:
        budget = Budget(
            examples=100, phases="examples,coverage,fuzzing,stateful", seconds=_share(tried, wanted, minutes)
        )
        return try_it(stack, tried, budget)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(one, wanted)


def main() -> int:
    """Fuzz an installation that is started for it and ended with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="about how long to try (default: %(default)s)")
    minutes = parser.parse_args().minutes
    folder = Path(tempfile.mkdtemp(prefix="trellis-fuzz-"))
    folder.chmod(0o755)
    try:
        with Stack(folder) as stack:
            print(f"Trying {stack.url} for about {minutes:g} minutes ...", flush=True)
            is_clean = True
            for outcome in try_all(stack, minutes):
                word = "clean" if outcome.is_clean else "FAILED"
                print(f"{word}: {outcome.tried}, {outcome.seconds:.0f} s", flush=True)
                if not outcome.is_clean:
                    is_clean = False
                    print(outcome.said, flush=True)
    finally:
        forget(folder)
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
