"""`prompts` of the plan file: where prompts are read from."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import Seconds, Text

# What another fingerprint of a provider does to a certificate.
OfFingerprints = Literal["void", "tell", "off"]


class DeclaredPrompts(Struct, frozen=True, omit_defaults=True):
    """A Git repository on this machine, of which one moment is read, without a checkout; or a plain
    folder. A plain text stands for its `repository`."""

    repository: Annotated[
        str,
        Meta(
            extra={"read": "path"},
            description="A local repository, bare or with a checkout, or a plain folder. Reading a "
            "repository needs the extra `git`.",
        ),
    ]
    ref: Annotated[
        Text, Meta(description="A branch, a tag, `refs/...` or a commit of the repository.")
    ] = "HEAD"
    folder: Annotated[
        Text, Meta(description="The folder of the repository that holds the prompts.")
    ] = "prompts"
    certificates: Annotated[
        Literal["required", "off"],
        Meta(
            description="Whether the tag `stable` moves only to a version that has passed a gate "
            "at every model that it is asked at, and whether a release waits for that."
        ),
    ] = "required"
    fingerprints: Annotated[
        OfFingerprints,
        Meta(
            description="What a provider that answers with another `system_fingerprint` than in "
            "the gate's run does to a certificate: `void` ends it, `tell` only tells of it as "
            "`uncertified_pair`, `off` is nothing."
        ),
    ] = "void"
    poll_s: Annotated[Seconds, Meta(description="How often it is looked at for news.")] = 2.0
