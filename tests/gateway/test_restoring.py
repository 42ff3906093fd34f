"""Placeholders become again what they stood for, however they are cut, and nothing else does."""

from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.test_guarded_texts import SIZES, cut

from tidegate.gateway.restoring import Restoring, restored

THINGS = {"<EMAIL_1>": "a@x.org", "<CARD_2>": "4111"}
TEXTS = st.lists(st.sampled_from([*THINGS, "<", "<EM", "a", " ", "<CARD_3>", "<x>", "_1>"]))


@given(TEXTS.map("".join), SIZES)
def test_however_it_is_cut(text: str, sizes: list[int]) -> None:
    restoring = Restoring(THINGS)
    shown = "".join([restoring.add(piece) for piece in cut(text, sizes)]) + restoring.flush()
    assert shown == restored(text, THINGS)


def test_only_what_could_be_one_waits() -> None:
    restoring = Restoring(THINGS)
    assert restoring.add("1 < 2") == "1 < 2" and restoring.add("so <EMA") == "so "
    assert restoring.add("IL_1>") == "a@x.org"
