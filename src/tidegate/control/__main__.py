"""`python -m tidegate.control`: one process, port 4001."""

import gc
import sys

gc.disable()  # of what is loaded here nothing is garbage

from tidegate.control.starting import main

gc.freeze()
gc.enable()
sys.exit(main(sys.argv[1:]))
