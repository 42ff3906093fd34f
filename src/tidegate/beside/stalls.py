"""What ends a process whose event loop stands still, so that whoever watches it starts another.

A library that waits in the loop itself holds up everybody else's requests, and no deadline of the
loop's own can end that.
"""

import asyncio
import faulthandler
from typing import Final

STALL_S: Final = 60.0


async def end_when_stalled(stall_s: float = STALL_S) -> None:
    """For as long as it runs. Where the loop stood goes to standard error, without a value."""
    try:
        while True:
            faulthandler.dump_traceback_later(stall_s, exit=True)
            await asyncio.sleep(stall_s / 10)
    finally:
        faulthandler.cancel_dump_traceback_later()
