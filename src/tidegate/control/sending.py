"""Sends a message one way, as the plan declares it now."""

from collections.abc import Mapping

from tidegate.control.secret_refs import resolve
from tidegate.core import clock, plugs
from tidegate.core.declared_notifications import DeclaredNotifications
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.ways import Place, Posted, Told, Way


def send(
    declared: DeclaredNotifications,
    environ: Mapping[str, str],
    way: str,
    message: Message,
    posted: Posted | None = None,
) -> Told:
    """Blocks until it was taken. NotDelivered; PostGone where `posted` cannot be changed."""
    found = declared.ways.get(way)
    if found is None:
        raise NotDelivered("the plan has no such way any more")
    place = Place(found, resolve(found.secret, environ), posted)
    return way_of(found.kind).send(message, place, clock.wall_s()) or Told()


def way_of(kind: str) -> Way:
    """PlugError when it does not load."""
    way: Way = plugs.load("actuators", kind)
    return way
