"""The answer, or what was asked, has so many tokens, by the provider's or the gateway's count."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._figures import within, wrong_bounds
from tidegate.graders._plain import Plain

_Count = Annotated[int, Meta(ge=0)]


class Options(Struct, frozen=True, omit_defaults=True):
    """`of`: the tokens of the answer, of what was asked, or of both together."""

    most_tokens: _Count | None = None
    least_tokens: _Count | None = None
    of: Literal["output", "input", "total"] = "output"


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    given, made = answered.input_tokens, answered.output_tokens
    total = None if given is None or made is None else given + made
    figure = {"output": made, "input": given, "total": total}[options.of]
    what = "tokens" if options.of == "total" else f"{options.of} tokens"
    return within(figure, options.least_tokens, options.most_tokens, what)


def _also_wrong(options: Options) -> str | None:
    return wrong_bounds(options.least_tokens, options.most_tokens, "tokens")


plug = Plain(Options, _mark, _also_wrong)
