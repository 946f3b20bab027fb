"""`python -m dpanet`: the command line."""

import sys

from dpanet.cli import main

sys.exit(main())
