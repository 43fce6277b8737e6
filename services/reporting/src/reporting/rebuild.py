"""Makes the read models of the reporting service again: `trellis reporting rebuild` runs it."""

import sys

from kit.workers.rebuilding import main
from reporting.definition import REPORTING

if __name__ == "__main__":
    sys.exit(main(REPORTING))
