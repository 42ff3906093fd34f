"""Ids of callers without a key, and what a revocation means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tidegate.core import caller, plugs
from tidegate.core.caller import (
    Caller,
    Meant,
    Revocation,
    id_of_caller,
    id_of_issuer,
    id_of_token,
    load_verifier,
)
from tidegate.core.key import KeyRecord, id_of

SOMEBODY = Caller(
    id="jwt-a",
    digest=b"",
    pepper_version=0,
    name="a",
    team="t",
    created_at_s=0.0,
    routes=("*",),
    issued_at_s=100.0,
)


def test_an_id_is_the_same_for_ever() -> None:
    """It stands on receipts and in budgets: another way to make it would begin them anew."""
    assert id_of_caller("https://issuer.example", "a") == "jwt-ui25qknlc2t5kevjcpsazhxu"


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_no_two_have_one_id(one: tuple[str, str], other: tuple[str, str]) -> None:
    if "\0" not in "".join((*one, *other)):
        assert (id_of_caller(*one) == id_of_caller(*other)) == (one == other)
    assert len({id_of_caller(*one), id_of_token(*one), id_of_issuer(one[0])}) == 3
    assert id_of(id_of_caller(*one).encode()) is None


@pytest.mark.parametrize(
    ("before_s", "made_s", "revoked"),
    [(None, 100.0, True), (100.0, 100.0, True), (99.0, 100.0, False), (99.0, None, True)],
)
def test_a_revocation_means_what_was_made_until_then(
    before_s: float | None, made_s: float | None, revoked: bool
) -> None:
    it = replace(SOMEBODY, issued_at_s=made_s).after([Revocation("jwt-a", before_s, 7.0)])
    assert it.revoked_at_s == (7.0 if revoked else None)
    assert SOMEBODY.after([]) is SOMEBODY


def test_whom_a_revocation_means() -> None:
    assert Meant("i").id == id_of_issuer("i")
    assert Meant("i", "s").id == id_of_caller("i", "s")
    assert Meant("i", token_id="j").id == id_of_token("i", "j")
    assert [str(Meant("i")), str(Meant("i", "s")), str(Meant("i", None, "j"))] == [
        "everybody of i",
        "s of i",
        "token j of i",
    ]


def test_a_key_has_nothing_of_what_only_callers_have() -> None:
    key = KeyRecord("a", b"", 1, "n", "t", 0.0, ("*",))
    assert (key.end_user, key.ids, key.not_before_s) == (None, (), 0.0)
    assert (SOMEBODY.end_user, SOMEBODY.ids, SOMEBODY.not_before_s) == (None, (), 0.0)


def test_without_its_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(kind: str, name: str) -> None:
        raise plugs.PlugError(f"{kind}: {name} does not load: No module named 'jwt'")

    monkeypatch.setattr(caller.plugs, "load", missing)
    with pytest.raises(plugs.PlugError, match="install tidegate with its extra `jwt`"):
        load_verifier()
