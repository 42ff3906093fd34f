"""What a new version costs in input tokens, over the same cases (release-ops 2.7)."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Raw, Struct

from tidegate.core.prompt import Prompt
from tidegate.prompts.counting import Counter
from tidegate.prompts.render import Renderer
from tidegate.prompts.rendered import RenderRefused

WARN_SHARE: Final = 0.20
BLOCK_SHARE: Final = 0.50

Variables = Mapping[str, Raw]


class CaseDelta(Struct, frozen=True):
    """Input tokens of one case under both versions; `refused` says why it has none."""

    id: str
    before: int | None
    after: int | None
    refused: str | None = None


class Delta(Struct, frozen=True):
    """`exact`: a tokenizer counted. `share` is (after - before) / before of all that both render;
    None where there is nothing to compare."""

    cases: tuple[CaseDelta, ...]
    exact: bool
    counted_by: str

    @property
    def compared(self) -> int:
        return sum(it.refused is None for it in self.cases)

    @property
    def before(self) -> int:
        return sum(it.before or 0 for it in self.cases if it.refused is None)

    @property
    def after(self) -> int:
        return sum(it.after or 0 for it in self.cases if it.refused is None)

    @property
    def share(self) -> float | None:
        return (self.after - self.before) / self.before if self.before else None

    @property
    def verdict(self) -> Literal["pass", "warn", "block", "unknown"]:
        """`unknown` where a case could not be rendered by both, or there is none."""
        share = self.share
        if share is not None and share > BLOCK_SHARE:
            return "block"
        if share is None or self.compared < len(self.cases):
            return "unknown"
        return "warn" if share > WARN_SHARE else "pass"


def token_delta(
    before: Prompt, after: Prompt, cases: Iterable[tuple[str, Variables]], counter: Counter
) -> Delta:
    """Both versions over all cases. RenderRefused where one of them cannot be rendered at all.

    A variable that only one version has is left out for the other.
    """
    old, new = Renderer(before), Renderer(after)
    found = tuple(_case(id, variables, (old, new), counter) for id, variables in cases)
    return Delta(found, counter.exact, counter.named)


def _case(
    id: str, variables: Variables, both: tuple[Renderer, Renderer], counter: Counter
) -> CaseDelta:
    known = [{it.name for it in one.prompt.inputs} for one in both]
    counts: list[int] = []
    for one, own in zip(both, known, strict=True):
        others = set.union(*known) - own
        sent = {name: value for name, value in variables.items() if name not in others}
        try:
            counts.append(counter.prompt(one.prompt, one.render(sent)))
        except RenderRefused as no:
            return CaseDelta(id, None, None, f"{one.prompt.version}: {no}")
    return CaseDelta(id, counts[0], counts[1])
