"""`python -m tidegate.gateway`: one gateway process, started by the supervisor."""

import gc
import sys

gc.disable()  # of what is loaded here nothing is garbage

from tidegate.gateway.process import main

gc.freeze()
gc.enable()
sys.exit(main(sys.argv[1:]))
