"""The worker of the reporting service: so far it follows other services. `python -m reporting.worker` runs it."""

from kit.workers.worker import main
from reporting.definition import REPORTING

if __name__ == "__main__":
    main(REPORTING)
