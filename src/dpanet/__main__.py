"""The command line, as `python -m dpanet`."""

import sys

from dpanet.cli import main

sys.exit(main())
