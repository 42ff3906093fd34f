"""`guardrails` of the plan file, and what routes say of them."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from tidegate.core.declared_scalars import BaseUrl, Name, Text
from tidegate.core.guardrail import Action, Guardrail, OnError, SentenceBuffer
from tidegate.core.secret import SecretRef

_DEFAULT: Final = Guardrail("", "", "mark")
_BUFFER: Final = SentenceBuffer()
_MOST_WORDS: Final = 2000


class DeclaredGuardrail(Struct, frozen=True, omit_defaults=True):
    """One guardrail. Which of the keys from `types` on it reads is its kind's; others are
    refused."""

    kind: Annotated[
        Text | None, Meta(description="A file in `guardrails/`. Default: its name.")
    ] = None
    action: Annotated[
        Action | None,
        Meta(
            description="What is done about what it finds: `block` refuses the request, or ends "
            "the answer; `redact` puts a placeholder in its place; `mark` notes it. Default: the "
            "kind's own."
        ),
    ] = None
    actions: Annotated[
        dict[Text, Action], Meta(description="What is done about a type instead, by its name.")
    ] = {}
    on_error: Annotated[
        OnError,
        Meta(
            description="Where it cannot look: `closed` refuses, `open` lets pass and notes that "
            "nobody looked."
        ),
    ] = _DEFAULT.on_error
    restore: Annotated[
        bool,
        Meta(
            description="Give the caller back, in the answer, what its own request had in a "
            "placeholder's place."
        ),
    ] = _DEFAULT.restores
    types: Annotated[
        tuple[Text, ...], Meta(description="What it looks for. Default: all that it knows.")
    ] = ()
    locales: Annotated[
        tuple[Text, ...],
        Meta(description="Countries whose own numbers are looked for. Default: all it knows."),
    ] = ()
    patterns: Annotated[
        dict[Text, Annotated[str, Meta(min_length=1, max_length=1000)]],
        Meta(
            max_length=100,
            description="What is looked for, by type: patterns of RE2. No look-around, no "
            "back-references.",
        ),
    ] = {}
    words: Annotated[
        tuple[Text, ...],
        Meta(
            max_length=_MOST_WORDS,
            description="Words and phrases that are looked for, in whichever case.",
        ),
    ] = ()
    threshold: Annotated[
        float | None,
        Meta(gt=0, le=1, description="From which score on it is one. Default: the kind's own."),
    ] = None
    url: Annotated[BaseUrl | None, Meta(description="Where texts are posted to be judged.")] = None
    credential: Annotated[
        SecretRef | None,
        Meta(extra={"read": "secret"}, description="Where its bearer token is found."),
    ] = None
    ca_file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="Certificates (PEM) of a private CA to trust."),
    ] = None
    deadline_s: Annotated[
        float,
        Meta(gt=0, le=60, extra={"read": "duration"}, description="How long it is waited for."),
    ] = field(default=_DEFAULT.deadline_s, name="deadline")
    streams: Annotated[
        Literal["whole", "sentence"] | None,
        Meta(
            description="When it is asked about a stream: once that is `whole`, or as its "
            "sentences come, which then go out; the route needs `buffer: sentence`. Default: "
            "`whole`."
        ),
    ] = None


class DeclaredRouteGuardrails(Struct, frozen=True, omit_defaults=True):
    """What looks through a route's texts, in this order: names in `guardrails`. No key and no
    caller can turn one off."""

    input: Annotated[tuple[Name, ...], Meta(description="Through what its callers send.")] = ()
    output: Annotated[tuple[Name, ...], Meta(description="Through what its models say.")] = ()


class DeclaredBuffer(Struct, frozen=True, omit_defaults=True):
    """How the text of streams is held back."""

    by: Annotated[
        Literal["sentence"], Meta(description="What goes out together: whole sentences.")
    ] = "sentence"
    max_chars: Annotated[
        int,
        Meta(ge=20, le=20_000, description="So many characters go out without an end of one."),
    ] = _BUFFER.max_chars
    max_wait_s: Annotated[
        float,
        Meta(
            gt=0,
            le=60,
            extra={"read": "duration"},
            description="What has waited for so long goes out as it is.",
        ),
    ] = field(default=_BUFFER.max_wait_s, name="max_wait")

    def buffer(self) -> SentenceBuffer:
        """What gateways obey."""
        return SentenceBuffer(self.max_chars, self.max_wait_s)
