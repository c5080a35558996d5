"""`python -m workbench` is the same program as `python main.py`."""

import sys

from workbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
