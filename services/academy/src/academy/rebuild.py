"""Makes the read models of the academy service again: `trellis academy rebuild` runs it."""

import sys

from academy.definition import ACADEMY
from kit.workers.rebuilding import main

if __name__ == "__main__":
    sys.exit(main(ACADEMY))
