"""`capture` of a route: which of its requests are kept with what was said."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from tidegate.core.capture import MOST_BYTES, Also, Capture, MoreKind
from tidegate.core.declared_scalars import MAX_SECONDS, Text

_DEFAULT: Final = Capture(0.0)


class DeclaredCapture(Struct, frozen=True, omit_defaults=True):
    """Questions and answers, kept for operators. Keys, passwords and tokens, e-mail addresses,
    telephone, card and social security numbers, IBANs and IP addresses are taken out before
    anything is written."""

    share: Annotated[
        float,
        Meta(gt=0, le=1, extra={"read": "share"}, description="Share of the requests, as in 5%."),
    ]
    canary_share: Annotated[
        float | None,
        Meta(
            gt=0,
            le=1,
            extra={"read": "share"},
            description="Share of the requests of a release's canary. Default: as `share`.",
        ),
    ] = None
    keep_s: Annotated[
        float,
        Meta(
            ge=60,
            le=400 * MAX_SECONDS,
            extra={"read": "duration"},
            description="How long they are kept.",
        ),
    ] = field(default=_DEFAULT.keep_s, name="keep")
    max_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=MOST_BYTES,
            extra={"read": "size"},
            description="The most of a question, which else is not kept, and of an answer, of "
            "which else the beginning is.",
        ),
    ] = _DEFAULT.max_bytes
    redact: Annotated[
        tuple[MoreKind, ...], Meta(description="What is taken out too. Default: nothing more.")
    ] = ()
    words: Annotated[
        tuple[Text, ...],
        Meta(max_length=100, description="Words that are taken out too, in whichever case."),
    ] = ()
    also: Annotated[
        tuple[Also, ...],
        Meta(description="Requests beside production's: `eval`, `shadow`. Default: none."),
    ] = ()

    def capture(self) -> Capture:
        """What gateways obey."""
        return Capture(
            self.share,
            self.keep_s,
            self.max_bytes,
            self.redact,
            self.words,
            self.also,
            self.canary_share,
        )
