"""Captured questions, compared: what keeps their beginnings apart, and what that costs a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from tidegate.control.shapes_prefixes import UnstablePage, UnstablePrefix
from tidegate.core.plan import Plan, Target
from tidegate.core.units import TOKENS_PER_MTOK
from tidegate.prompts.counting import Counter, tokenizer_of
from tidegate.prompts.questions import parts_of
from tidegate.prompts.unstable import MOST_REQUESTS, Part, Unstable, unstable
from tidegate.stores.questions import Question
from tidegate.text import tokens

# So many groups are compared: those of which most is captured.
_MOST_GROUPS: Final = 50
_Key = tuple[str, str, str]


def compared(
    questions: Iterable[Question], plan: Plan, requests_a_day: Mapping[_Key, int]
) -> UnstablePage:
    """The page, the dearest first. Blocking: some seconds where much is captured."""
    groups: defaultdict[_Key, list[list[Part]]] = defaultdict(list)
    targets: dict[_Key, str | None] = {}
    routes = set()
    for one in questions:
        routes.add(one.route)
        key = (one.route, one.prompt_version or "", one.model or "")
        if len(groups[key]) < MOST_REQUESTS:
            targets.setdefault(key, one.target)
            try:
                groups[key].append(parts_of(one.messages, one.tools))
            except ValueError:
                continue
    largest = sorted(groups.items(), key=lambda it: (-len(it[1]), it[0]))[:_MOST_GROUPS]
    known, found, too_few = plan.targets, [], 0
    for key, requests in largest:
        target = known.get(targets[key] or "")
        counter = Counter(_tokenizer(key[2], target))
        what = unstable(requests, counter)
        if what is None:
            too_few += 1
            continue
        a_day = requests_a_day.get(key, 0)
        saved = _saved_nanousd(what, target, a_day)
        found.append(UnstablePrefix(*key, what, counter.exact, a_day, saved))
    found.sort(key=lambda it: (-(it.saved_a_day_nanousd or 0), -it.found.saved_tokens, it.route))
    return UnstablePage(found, too_few, sorted(set(plan.routes) - routes))


def _tokenizer(model: str, target: Target | None) -> str | None:
    declared = None if target is None else target.tokenizer
    return declared if declared in tokens.ENCODINGS else tokenizer_of(model)


def _saved_nanousd(found: Unstable, target: Target | None, requests: int) -> int | None:
    price = None if target is None else target.price
    if price is None or price.input is None or price.cache_read is None:
        return None
    less = price.input.at(found.tokens) - price.cache_read.at(found.tokens)
    alike = requests * found.compared // (found.compared + found.others)
    return found.saved_tokens * alike * max(less, 0) // TOKENS_PER_MTOK
