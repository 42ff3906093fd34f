"""Where recorded requests part: found wherever it is planted, and never quoted."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.prompts.counting import Counter
from tidegate.prompts.prefix import Prefix
from tidegate.prompts.unstable import LEAST_REQUESTS, MOST_CHARS, Part, Unstable, unstable

COUNTER = Counter(None)
DAY = date(2026, 3, 1)
CANARY = "Quillfeather"


def rules(name: str, count: int) -> str:
    return "".join(f"Rule {name}{number}: always say what you mean. " for number in range(count))


def asked(system: str, question: str = "why") -> list[Part]:
    return [Part("system", system), Part("user", question)]


def found(requests: list[list[Part]]) -> Unstable:
    what = unstable(requests, COUNTER)
    assert what is not None
    return what


VALUES = {
    "date": lambda n: str(DAY + timedelta(days=n)),
    "time": lambda n: f"{n % 24:02}:{n % 60:02}:07",
    "uuid": lambda n: str(UUID(int=(n + 1) * 0x0123456789ABCDEF0123456789ABCDEF % (1 << 128))),
    "number": lambda n: str(1000 + 37 * n),
    "identifier": lambda n: f"sess_{n}a9{n * 7}",
    "name": lambda n: ["Ada Byron", "Tove", "Grace Hopper", "Linus", "Barbara L"][n % 5],
}


@pytest.mark.parametrize("kind", VALUES)
def test_what_varies_is_found_and_of_which_kind_it_is(kind: str) -> None:
    before, behind = rules("a", 150), rules("b", 150)
    several = [
        asked(f"{before}\nToday it is {VALUES[kind](n)}.\n{behind}", f"what of {n * 13}?")
        for n in range(20)
    ]
    what = found(several)
    assert (what.kind, what.role, what.turn) == (kind, "system", 0)
    assert (what.compared, what.others) == (20, 0)
    assert what.before_tokens == COUNTER.of(f"system\n{before}\nToday it is ")
    assert what.behind_tokens == pytest.approx(COUNTER.of(behind), rel=0.02)
    assert what.saved_tokens == Prefix(what.before_tokens, what.behind_tokens).saved > 1000
    assert 0.4 < what.movable_share < 0.6


def test_what_differs_in_the_question_alone_stands_in_no_one_s_way() -> None:
    what = found([asked(rules("a", 90), f"{'why' * n} is it so?") for n in range(12)])
    assert (what.kind, what.role, what.turn) == ("message", "user", 1)
    assert what.saved_tokens == 0


def test_where_nothing_varies_nothing_is_said() -> None:
    what = found([asked("Be brief.")] * 6)
    assert (what.kind, what.behind_tokens, what.saved_tokens) == (None, 0, 0)
    assert what.before_tokens == what.tokens


def test_a_few_that_begin_in_another_way_do_not_hide_the_others() -> None:
    several = [asked(rules("a", 100), str(n)) for n in range(19)]
    what = found([*several, asked(f"{CANARY} {rules('c', 3)}")])
    assert (what.compared, what.others, what.turn) == (19, 1, 1)


def test_what_varies_in_most_of_them_is_found_beside_others_of_another_sort() -> None:
    behind = rules("b", 150)
    dated = [asked(f"It is {DAY + timedelta(days=n)}.\n{behind}", str(n)) for n in range(9)]
    what = found([*dated, *(asked(f"Hello. {behind}", str(n)) for n in range(4))])
    assert (what.kind, what.compared, what.others) == ("date", 9, 4)


def test_a_date_that_most_have_today_is_found_all_the_same() -> None:
    behind = rules("b", 150)
    dated = [asked(f"It is {DAY + timedelta(days=n // 7)}.\n{behind}", str(n)) for n in range(10)]
    what = found(dated)
    assert (what.kind, what.compared, what.turn) == ("date", 10, 0)


def test_what_only_some_have_is_not_stable() -> None:
    some = rules("b", 150)
    what = found([asked(f"No {1000 + n}.\n{some if n % 2 else ''}") for n in range(10)])
    assert (what.kind, what.behind_tokens, what.saved_tokens) == ("number", 0, 0)


def test_too_few_say_nothing() -> None:
    assert unstable([asked("x")] * (LEAST_REQUESTS - 1), COUNTER) is None
    assert unstable([], COUNTER) is None


def test_what_capture_took_out_may_vary() -> None:
    what = found([asked(f"You serve [email].\n{rules('a', 10)}", str(n)) for n in range(9)])
    assert what.hidden_tokens == COUNTER.of("system\nYou serve ")


def test_a_longer_text_is_looked_at_as_far_as_it_goes() -> None:
    what = found([asked("a" * (MOST_CHARS + 5), str(n)) for n in range(9)])
    assert (what.kind, what.tokens) == (None, MOST_CHARS // 4)


def test_a_role_that_a_caller_made_up_is_not_told() -> None:
    what = found([[Part(CANARY, f"{n}")] for n in range(100, 109)])
    assert what.role == "?"


_TEXTS = st.text('ab {}[],.:\n"1-é\x1e', max_size=40)


@given(st.lists(st.lists(_TEXTS, max_size=3), min_size=5, max_size=12), st.randoms())
def test_whatever_was_said_the_figures_hold_together(said: list[list[str]], order: Random) -> None:
    several = [[Part("user", text) for text in texts] for texts in said]
    what = found(several)
    order.shuffle(several)
    assert found(several) == what
    assert what.compared + what.others == len(said)
    assert what.compared >= 0.9 * len(said) or what.compared >= 2
    assert what.before_tokens >= 0 and what.behind_tokens >= 0 and 0 <= what.movable_share <= 1


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from(sorted(VALUES)))
def test_what_is_planted_is_found_at_its_place(before: int, behind: int, kind: str) -> None:
    head, tail = rules("a", before), rules("b", behind)
    several = [asked(f"{head}\nof {VALUES[kind](n)}.\n{tail}{CANARY}", "") for n in range(10)]
    what = found(several)
    assert what.before_tokens == COUNTER.of(f"system\n{head}\nof ")
    assert what.kind == kind
    assert CANARY not in repr(what) and VALUES[kind](3) not in repr(what)
