"""`python -m tidegate.control`: one process, port 4001."""

import sys

from tidegate.control.starting import main

sys.exit(main(sys.argv[1:]))
