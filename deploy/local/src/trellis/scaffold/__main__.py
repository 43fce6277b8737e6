"""`python -m trellis.scaffold academy visits [visit]`, as `make slice` calls it."""

import sys

from trellis.contracts.documents import repository
from trellis.scaffold.names import NameNotUsable, names_of
from trellis.scaffold.writing import SliceExists, write_slice


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) not in (2, 3):
        print(
            "Say: make slice service=academy name=visits   (one=visit where the singular isn't clear)", file=sys.stderr
        )
        return 2
    try:
        names = names_of(*arguments)
        written = write_slice(repository(), names)
    except (NameNotUsable, SliceExists) as problem:
        print(problem, file=sys.stderr)
        return 2
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
