"""The supervising process of an installation (`python -m trellis.supervisor`); `trellis up` starts it, detached."""

import fcntl
import sys

from pydantic import ValidationError

from gateway.envoy import EnvoySettings
from trellis import forks, stack
from trellis.installation import find
from trellis.settings import in_words, refused
from trellis.supervision import Supervisor


def main() -> int:
    """Watch until told to stop. Exit code 1 when another one already watches this installation."""
    installation = find()
    state = installation.state
    with (state.run / "supervisor.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another process supervises this installation.", file=sys.stderr)
            return 1
        try:
            programs = stack.programs_of(installation)
        except ValidationError as refusal:
            print(refused(in_words(refusal, EnvoySettings)), file=sys.stderr)
            return 1
        if installation.shares_libraries:
            forks.preload()
        Supervisor(state, programs, postgres=installation.postgres, told=installation.told()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
