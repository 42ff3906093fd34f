"""Sends a message one way, as the plan declares it now."""

from collections.abc import Mapping

from tidegate.control.secret_refs import resolve
from tidegate.core import clock, plugs
from tidegate.core.declared_notifications import DeclaredNotifications
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.ways import Place, Way


def send(
    declared: DeclaredNotifications, environ: Mapping[str, str], way: str, message: Message
) -> str | None:
    """Blocks until it was taken; then perhaps a remark. NotDelivered."""
    found = declared.ways.get(way)
    if found is None:
        raise NotDelivered("the plan has no such way any more")
    place = Place(found, resolve(found.secret, environ))
    return way_of(found.kind).send(message, place, clock.wall_s())


def way_of(kind: str) -> Way:
    """PlugError when it does not load."""
    way: Way = plugs.load("actuators", kind)
    return way
