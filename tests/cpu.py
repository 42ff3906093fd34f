"""What something costs of a processor, to hold that no text makes it dear: bounds are far from what
it costs, and near to none of what would grow faster than the text."""

import gc
import time
from collections.abc import Callable


def cpu_s(call: Callable[[], object]) -> float:
    """Seconds of this thread's own, without those of looking for garbage in the whole run."""
    looked = gc.isenabled()
    gc.disable()
    try:
        began_s = time.thread_time()
        call()
        return time.thread_time() - began_s
    finally:
        if looked:
            gc.enable()
