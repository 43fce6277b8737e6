"""Makes the read models of the research service again: `trellis research rebuild` runs it."""

import sys

from kit.workers.rebuilding import main
from research.definition import RESEARCH

if __name__ == "__main__":
    sys.exit(main(RESEARCH))
