"""The worker of the research service; it has nothing to do yet. `python -m research.worker` runs it."""

from kit.jobs.worker import main
from research.definition import RESEARCH

if __name__ == "__main__":
    main(RESEARCH)
