"""How often a property test that takes long tries: a few times in `make test`, many more in `make fuzz`."""

import os


def tries(few: int) -> int:
    """The examples of a property test: `few`, times TRELLIS_TEST_TRIES."""
    return few * int(os.environ.get("TRELLIS_TEST_TRIES", "1"))
