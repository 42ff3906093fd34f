"""Which post a message changes, of a way whose posts can be changed; and where it is from now on.

One thing has one post: a release or a budget from its first telling on, anything else as long as
something of it holds, and for a while after, in case it comes back.
"""

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Notice, thing_of
from tidegate.core.ways import Posted
from tidegate.stores import notices, posts
from tidegate.stores.posts import Post
from tidegate.stores.told import Delivery

COMES_BACK_S: Final = 3600.0
OLD_S: Final = 30 * 86_400.0
_LASTING = frozenset({"release", "budget"})


class Talk(Struct, frozen=True):
    """A thing, what was told of it before, and its post if that is to be changed."""

    thing: str
    channel: str
    post: Post | None = None
    earlier: tuple[Notice, ...] = ()

    @property
    def posted(self) -> Posted | None:
        return None if self.post is None else Posted(self.post.channel, self.post.ts)


def find(
    connection: Connection,
    declared: DeclaredWay | None,
    delivery: Delivery,
    told: list[Notice],
) -> Talk | None:
    """The talk that a message belongs to; None where its way changes no posts."""
    if declared is None or declared.channel is None or not told:
        return None
    thing = thing_of(told[0]) if len(told) == 1 else f"message/{delivery.ends or delivery.id}"
    new = Talk(thing, declared.channel)
    post = posts.find(connection, delivery.way, thing)
    if post is None or post.declared != declared.channel or _is_old(post, delivery):
        return new
    mine = {one.id for one in told}
    earlier = notices.of_ids(connection, [one for one in post.notices if one not in mine])
    goes_on = (
        delivery.ends is not None or told[0].topic in _LASTING or not mine.isdisjoint(post.notices)
    )
    if not goes_on and not any(_may_come_back(one, told[0].at_s) for one in earlier):
        return new
    return Talk(thing, declared.channel, post, tuple(earlier))


def keep(
    connection: Connection, talk: Talk, delivery: Delivery, told: list[Notice], at: Posted
) -> None:
    """Write down where the talk's post is, and what it has told."""
    before = talk.post
    ids = [one.id for one in (*talk.earlier, *told)]
    began_s = delivery.at_s if before is None or at != talk.posted else before.at_s
    post = Post(delivery.way, talk.thing, talk.channel, at.channel, at.ts, began_s, tuple(ids))
    posts.keep(connection, post)


def _is_old(post: Post, delivery: Delivery) -> bool:
    """Nobody looks that far up; also where somebody set the clock."""
    return abs(delivery.at_s - post.at_s) > OLD_S


def _may_come_back(notice: Notice, at_s: float) -> bool:
    return notice.resolved_at_s is None or abs(at_s - notice.resolved_at_s) <= COMES_BACK_S
