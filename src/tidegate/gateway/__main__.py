"""`python -m tidegate.gateway`: one gateway process, started by the supervisor."""

import sys

from tidegate.gateway.process import main

sys.exit(main(sys.argv[1:]))
