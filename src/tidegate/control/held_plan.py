"""A plan as it lies on disk and as the feed carries it: the same bytes."""

import logging
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.feed import PlanPublished
from tidegate.core.plan import Plan

_log = logging.getLogger(__name__)
encoded: Final = msgspec.msgpack.Encoder().encode
decoded: Final = msgspec.msgpack.Decoder(Plan).decode


def as_told(plan: Plan) -> PlanPublished:
    """As gateways are told of it."""
    return PlanPublished(plan.version, Raw(encoded(plan)))


def read_held(path: Path) -> Plan | None:
    """The plan that was published last, None when there is none that this version can read."""
    try:
        return decoded(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("the last good plan in %s cannot be read: %s", path, error)
        return None
