"""A conversation made smaller: whole turns go, and no call is left without its result."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ladder import History
from tidegate.text import tokens
from tidegate.text.history import Item, answered, kept, squeezed

SYSTEM, MODEL = Item("system", 400), Item("model", 40)
USER = Item("user", 40)


def call(*ids, size=40):
    return Item("model", size, ids)


def result(*ids, size=400):
    return Item("tool", size, ids)


# Three turns, the second with a tool's call and its result.
THREE = (SYSTEM, USER, MODEL, USER, call("a"), result("a"), MODEL, USER)


def stays(rule, items=THREE):
    return [at for at, it in enumerate(kept(items, rule)) if it]


def test_the_last_turns_stay():
    assert stays(History(keep_last=1)) == [0, 7]
    assert stays(History(keep_last=2)) == [0, 3, 4, 5, 6, 7]
    assert stays(History(keep_last=9)) == list(range(8))


def test_the_middle_goes():
    assert stays(History(keep_first=1, keep_last=1)) == [0, 1, 2, 7]


def test_the_oldest_go_until_it_fits():
    everything = sum(it.size_bytes for it in THREE) // 4
    assert stays(History(max_tokens=everything)) == list(range(8))
    assert stays(History(max_tokens=everything - 1)) == [0, 3, 4, 5, 6, 7]
    assert stays(History(max_tokens=1)) == [0, 7]  # these stay, however much they are


def test_what_several_users_say_at_once_is_one_turn():
    assert stays(History(keep_last=1), (USER, MODEL, USER, USER)) == [2, 3]


def test_turns_that_share_a_call_stay_or_go_together():
    late = (USER, call("a"), USER, result("a"), MODEL, USER)
    assert stays(History(keep_last=1), late) == [5]
    assert stays(History(keep_last=2), late) == [0, 1, 2, 3, 4, 5]


def test_only_what_was_answered_to_is_answered():
    loop = (USER, call("a"), result("a"), call("b"), result("b"))
    assert answered(loop) == [False, False, True, False, False]


def test_white_space_that_tells_nothing():
    assert squeezed("a  \n\n\n\n  b\t\n") == "a\n\n  b\n"
    assert squeezed("def f():\n    return 1\n") == "def f():\n    return 1\n"


speakers = st.sampled_from(["system", "user", "model", "tool"])
items = st.lists(
    st.builds(
        Item,
        speakers,
        st.integers(1, 500),
        st.lists(st.sampled_from("abcd"), max_size=2).map(tuple),
    ),
    max_size=24,
)
rules = st.builds(
    History,
    keep_first=st.integers(0, 3),
    keep_last=st.none() | st.integers(1, 5),
    max_tokens=st.none() | st.integers(1, 800),
)


@given(items, rules)
def test_no_call_is_cut_from_its_result_and_what_must_stay_does(items, rule):
    found = kept(items, rule)
    by_id = {}
    for item, there in zip(items, found, strict=True):
        for one in item.ids if item.speaker != "system" else ():
            assert by_id.setdefault(one, there) is there
        if item.speaker == "system":
            assert there
    users = [at for at, it in enumerate(items) if it.speaker == "user"]
    if users:
        assert found[users[-1]]


@given(items, st.integers(1, 800))
def test_it_is_as_short_as_is_asked_for_or_nothing_more_may_go(items, most):
    found = kept(items, History(max_tokens=most))
    left = sum(it.size_bytes for it, there in zip(items, found, strict=True) if there)
    if tokens.estimate(left) > most:
        again = [it for it, there in zip(items, found, strict=True) if there]
        assert all(kept(again, History(max_tokens=1)))


def test_long_work_is_done_in_time():
    blanks = " " * 200_000
    assert squeezed(f"a{blanks}b{blanks}\nc") == f"a{blanks}b\nc"
    many = [USER, call("a"), result("a")] * 30_000
    assert stays(History(keep_last=1), many) == list(range(90_000))
