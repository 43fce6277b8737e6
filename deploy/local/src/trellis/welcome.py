"""What `trellis up` ends with: the demo trust's board, the addresses, and a first request to try."""

import shlex
import sys
from pathlib import Path

from rich.console import Console

from trellis import board, tokens
from trellis.api import Api
from trellis.demo import contents, loading
from trellis.installation import Installation

ROLE = "status-reader"


def show(installation: Installation, console: Console) -> None:
    """Print it. The board is that of the main demo trust, where the demo is loaded."""
    settings = installation.settings
    if settings.env == "demo" and loading.is_loaded(installation.state):
        console.print()
        show_board(installation, console, contents.TRUSTS[0])
    console.print()
    console.print(f"Gateway     {settings.public_url}", soft_wrap=True)
    console.print(f"API portal  {settings.public_url}/", soft_wrap=True)
    if settings.env == "demo":
        console.print("\nTry:", soft_wrap=True)
        console.print(f"  {first_request(installation)}", soft_wrap=True, markup=False)


def show_board(installation: Installation, console: Console, trust: str) -> None:
    """Print the board of one trust, as somebody sees it who only reads statuses."""
    with tokens.api_for(installation.settings, ROLE, trust=trust) as reader:
        board.show(_name_of(reader, trust), board.rows_of(reader), console)


def first_request(installation: Installation) -> str:
    """A line for the shell that works as it is printed, from the working folder."""
    command = Path(sys.prefix) / "bin" / "trellis"
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    url = f"{installation.settings.gateway_url}/academy/v1/rag-statuses"
    return f'curl -H "Authorization: Bearer $({shlex.quote(str(command))} token {ROLE})" {url}'


def _name_of(reader: Api, trust: str) -> str:
    name: str = reader.get(f"/academy/v1/trusts/{trust}")["name"]
    return name
