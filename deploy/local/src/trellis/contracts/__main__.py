"""The command line of the contracts; see the package."""

import sys
from pathlib import Path

from trellis.contracts import asyncapi, nodetools
from trellis.contracts.checks import all_flaws
from trellis.contracts.documents import APPS, all_made, contract_file, repository, written


def generate(folder: Path) -> int:
    """Write every contract."""
    made = all_made()
    for service, contract in made.items():
        contract_file(folder, service).write_text(written(contract), encoding="utf-8")
    asyncapi.write(folder, made["trellis"])
    return 0


def check(folder: Path) -> int:
    """Say what is wrong with the committed contracts; 1 when anything is."""
    flaws = all_flaws(folder, all_made())
    for flaw in flaws:
        print(flaw)
    if not flaws:
        print("The contracts are fresh, break no released one, and every listed call exists.")
    return 1 if flaws else 0


def lint(folder: Path) -> int:
    """Run the published ruleset over every contract."""
    files = [str(contract_file(folder, service)) for service in (*APPS, "trellis")]
    files.append(str(folder / asyncapi.FILE))
    done = nodetools.run(folder / "tools", nodetools.REDOCLY, "lint", "--config", "redocly.yaml", *files)
    print(done.stdout, done.stderr, sep="")
    return done.returncode


def types(folder: Path) -> int:
    """Write TypeScript types of every contract to `build/types/`."""
    target = folder.parent / "build" / "types"
    target.mkdir(parents=True, exist_ok=True)
    for service in (*APPS, "trellis"):
        source = contract_file(folder, service)
        out = target / f"{service}.d.ts"
        done = nodetools.write_types(folder / "tools", source, out)
        if done.returncode:
            print(done.stdout, done.stderr, sep="")
            return done.returncode
    print(f"Wrote {target}")
    return 0


def release(folder: Path) -> int:
    """Make the present contracts the released ones: what a client may rely on from now on."""
    (folder / "released").mkdir(exist_ok=True)
    made = all_made()
    for service in APPS:
        contract_file(folder / "released", service).write_text(written(made[service]), encoding="utf-8")
    return 0


COMMANDS = {"generate": generate, "check": check, "lint": lint, "types": types, "release": release}


def main(arguments: list[str]) -> int:
    """Run one command; 2 when it isn't one."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"Say one of: {', '.join(COMMANDS)}")
        return 2
    return COMMANDS[arguments[0]](repository() / "openapi")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
