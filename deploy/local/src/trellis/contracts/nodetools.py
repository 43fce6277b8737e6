"""The contract tools that run on Node: the published lint rules and the TypeScript types.

They are for checks only. Node comes from the locked wheel, else from the machine; without one, `node()` gives None.
"""

import shutil
import subprocess
import sys
from pathlib import Path


def node() -> Path | None:
    """The Node beside this Python, else the machine's; None when there is none."""
    beside = Path(sys.executable).with_name("node")
    if beside.exists():
        return beside
    found = shutil.which("node")
    return Path(found) if found else None


def installed(tools: Path) -> bool:
    """Are the tools of `openapi/tools` installed?"""
    return (tools / "node_modules" / ".package-lock.json").is_file()


def run(tools: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the tools by its script; its output is captured.

    Raises FileNotFoundError without Node or without the tools (`make node-tools`).
    """
    binary = node()
    script = tools / "node_modules" / program
    if binary is None or not script.exists():
        raise FileNotFoundError("the contract tools aren't installed: run `make node-tools`")
    return subprocess.run(
        [str(binary), str(script), *arguments],
        cwd=tools,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


REDOCLY = "@redocly/cli/bin/cli.js"
TYPES = "openapi-typescript/bin/cli.js"
COMPILER = "typescript/bin/tsc"


def write_types(tools: Path, source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """TypeScript types of a contract, as the tool writes them without being asked for anything else."""
    return run(tools, TYPES, str(source), "--output", str(target))
