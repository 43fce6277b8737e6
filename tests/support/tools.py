"""Programs that a test needs and that aren't part of the environment."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test; where CI is set, fail it: a check that nobody runs isn't one."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
