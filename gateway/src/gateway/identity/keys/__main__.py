"""`python -m gateway.identity.keys list|rotate|revoke KID|revoke-all`."""

import argparse
import asyncio
import sys

from gateway.identity.keys.commands import list_keys, revoke_all_keys, revoke_key, rotate_keys
from gateway.identity.keys.errors import UnknownKey


async def _run(arguments: argparse.Namespace) -> str:
    match arguments.action:
        case "rotate":
            return f"The next key signs from {await rotate_keys():%Y-%m-%d %H:%M:%S} UTC."
        case "revoke":
            await revoke_key(arguments.kid)
            return f"{arguments.kid} is revoked; verifiers refuse it within 60 seconds."
        case "revoke-all":
            await revoke_all_keys()
            return "Every key is revoked; verifiers refuse them within 60 seconds. New ones sign already."
        case _:
            lines = (
                f"{key.kid}  {state:<9}  published {key.published_at:%Y-%m-%d %H:%M:%S}"
                for key, state in await list_keys()
            )
            return "\n".join(lines) or "There are no keys yet; the identity app makes them when it starts."


def main() -> int:
    """Do what was asked and say so; 1 when no key has the id."""
    parser = argparse.ArgumentParser(prog="trellis keys", description="The keys that sign tokens.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every key and its state")
    actions.add_parser("rotate", help="let the next key take over, with overlap")
    actions.add_parser("revoke", help="refuse one key at once").add_argument("kid")
    actions.add_parser("revoke-all", help="refuse every key at once and begin with new ones")
    arguments = parser.parse_args()
    try:
        sys.stdout.write(asyncio.run(_run(arguments)) + "\n")
    except UnknownKey:
        sys.stderr.write(f"No key has the id {arguments.kid}. `list` shows them.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
