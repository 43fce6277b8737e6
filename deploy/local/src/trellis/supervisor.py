"""The supervising process of an installation (`python -m trellis.supervisor`); `trellis up` starts it, detached.

It works out what to run, and becomes `trellis.supervising`, which runs it.
"""

import os
import sys
from typing import IO, NoReturn

from pydantic import ValidationError

from gateway.envoy import EnvoySettings
from trellis import stack, supervising
from trellis.forks import can_fork
from trellis.installation import Installation, find, python
from trellis.settings import in_words, refused

# The watcher looks at the same lock now and then, for a moment.
LOCK_SECONDS = 2.0


def main() -> int:
    """Watch until asked to stop. Exit code 1 when another one already watches this installation."""
    installation = find()
    with installation.state.held("supervisor", seconds=LOCK_SECONDS) as lock:
        if lock is None:
            print("Another process supervises this installation.", file=sys.stderr)
            return 1
        try:
            plan = plan_of(installation)
        except ValidationError as refusal:
            print(refused(in_words(refusal, EnvoySettings)), file=sys.stderr)
            return 1
        if can_fork():
            _become(plan, lock)
        supervising.run(plan)
        return 0


def plan_of(installation: Installation) -> supervising.Plan:
    """What the settings say is to run. Writes the gateway's configuration. Raises pydantic's ValidationError."""
    return supervising.Plan(
        installation.state.folder,
        stack.programs_of(installation),
        installation.told(),
        is_embedded=installation.postgres is not None,
        forks=stack.without_secrets(installation) if installation.shares_libraries else None,
    )


def _become(plan: supervising.Plan, lock: IO[str]) -> NoReturn:
    """Hand the plan over in memory (Linux), and the lock as it is."""
    memory = os.memfd_create("plan", 0)
    with os.fdopen(os.dup(memory), "wb") as file:
        file.write(plan.written())
    os.lseek(memory, 0, os.SEEK_SET)
    os.set_inheritable(memory, True)
    os.set_inheritable(lock.fileno(), True)
    handed = [str(memory), str(lock.fileno())]
    os.execv(sys.executable, [*python(), "-m", "trellis.supervising", *handed])  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
