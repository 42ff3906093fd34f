"""keep_alive: a stream's client hears of it while it waits, for whatever that is.

A place at the target, a provider that has not begun to answer, a pause before another attempt: what
is sent is nothing in the stream's own wire, so that nobody cuts the line.
"""

from tidegate.gateway.progress import Progress
from tidegate.gateway.stream import KEEPALIVE


def keep_alive(progress: Progress, now_s: float, every_s: float) -> None:
    """Sends a sign of life once its client has heard nothing for so long: the first time after the
    head, which goes out before its time. After that an error is the stream's last event."""
    head, ask = progress.head, progress.ask
    since_s = progress.quiet_since_s or progress.received_s
    if head is None or ask is None or now_s - since_s < every_s:
        return
    progress.quiet_since_s = now_s
    if progress.begun:
        progress.connection.write(sign_of_life(progress))
    else:
        progress.begun = True
        progress.connection.start(head(progress, ask), sign_of_life(progress))


def sign_of_life(progress: Progress) -> bytes:
    """What clients of the caller's wire pass over."""
    return KEEPALIVE if progress.dialect is None else progress.dialect.keep_alive
