"""Start the workbench: a window, or a command (`python main.py --help`)."""

import sys

from workbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
