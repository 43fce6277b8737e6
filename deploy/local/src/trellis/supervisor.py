"""The supervising process of an installation (`python -m trellis.supervisor`); `trellis up` starts it, detached."""

import sys

from pydantic import ValidationError

from gateway.envoy import EnvoySettings
from trellis import stack, watcher
from trellis.forks import ForkServer
from trellis.installation import Installation, find
from trellis.settings import in_words, refused
from trellis.supervision import Supervisor

# The watcher looks at the same lock now and then, for a moment.
LOCK_SECONDS = 2.0


def main() -> int:
    """Watch until asked to stop. Exit code 1 when another one already watches this installation."""
    installation = find()
    with installation.state.held("supervisor", seconds=LOCK_SECONDS) as free:
        if not free:
            print("Another process supervises this installation.", file=sys.stderr)
            return 1
        return _supervise(installation)


def _supervise(installation: Installation) -> int:
    try:
        programs = stack.programs_of(installation)
    except ValidationError as refusal:
        print(refused(in_words(refusal, EnvoySettings)), file=sys.stderr)
        return 1
    fork_server = ForkServer(stack.without_secrets(installation)) if installation.shares_libraries else None
    Supervisor(
        installation.state,
        programs,
        postgres=installation.postgres,
        told=installation.told(),
        watcher=watcher.command_of(installation.state),
        fork_server=fork_server,
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
