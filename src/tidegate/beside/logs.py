"""What such a process writes of others: when, how bad, who, and of an error its kind and place.

Libraries put requests, answers and keys into their messages, warnings and errors: none is written.
"""

import logging
import threading
import traceback
from typing import Any

_log = logging.getLogger(__name__)


class Quiet(logging.Formatter):
    """No message, and no error's own words."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s any-llm: %(name)s")

    def formatException(self, ei: Any) -> str:
        kind, _, place = ei
        if kind is None:
            return ""
        frames = (f"  {it.filename}:{it.lineno} {it.name}" for it in traceback.extract_tb(place))
        return "\n".join((kind.__name__, *frames))


def write_quietly() -> None:
    """All of the process that goes by `logging`, `warnings` and threads that end by an error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Quiet())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    threading.excepthook = _of_thread


def _of_thread(ended: threading.ExceptHookArgs) -> None:
    error = ended.exc_value or ended.exc_type()
    _log.error("", exc_info=(ended.exc_type, error, ended.exc_traceback))
