"""The gateway of one installation: Envoy's configuration written down, and the command that runs it."""

from trellis import places
from trellis.state import State


def command(state: State) -> list[str]:
    """Runs Envoy on the configuration that `write` wrote."""
    binary = places.package_folder("envoy") / "_bin" / "envoy"
    return [
        str(binary),
        "--config-path",
        str(state.run / "envoy.json"),
        # Hot restart needs shared memory, which containers are short of; one gateway runs at a time.
        "--disable-hot-restart",
        "--log-level",
        "warning",
    ]
