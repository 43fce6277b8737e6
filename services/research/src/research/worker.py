"""The worker of the research service: so far it follows other services. `python -m research.worker` runs it."""

from kit.workers.worker import main
from research.definition import RESEARCH

if __name__ == "__main__":
    main(RESEARCH)
