"""`python -m carewright`."""

import sys

from carewright.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
