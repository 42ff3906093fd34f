"""`control.loop` of the plan file."""

from typing import Annotated

from msgspec import Meta, Struct, field

from tidegate.core.declared_scalars import Seconds


class DeclaredLoop(Struct, frozen=True, omit_defaults=True):
    """The control loop: what watches releases and objectives, and acts on what it sees."""

    tick_s: Annotated[Seconds, Meta(description="How often it looks and decides.")] = field(
        default=10.0, name="tick"
    )
    lease_s: Annotated[
        Seconds,
        Meta(
            description="How long gateways hold to what it set when nothing is heard of it any "
            "more: three ticks at least."
        ),
    ] = field(default=30.0, name="lease")
    dry_run: Annotated[
        bool, Meta(description="It decides and tells what it would do, and does nothing.")
    ] = False
