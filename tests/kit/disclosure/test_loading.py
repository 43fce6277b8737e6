"""Services that publish no tables don't pay for the solver."""

import subprocess
import sys

import pytest

QUESTION = "import sys, {module}; print(sorted({{'numpy', 'scipy'}} & sys.modules.keys()))"


@pytest.mark.parametrize(
    ("module", "loaded"),
    [
        ("kit.web.app, kit.workers.worker, kit.disclosure.tables, kit.disclosure.percentages", "[]"),
        ("kit.disclosure.suppression", "['numpy', 'scipy']"),
    ],
)
def test_only_the_solver_loads_scipy(module: str, loaded: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", QUESTION.format(module=module)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == loaded
