"""A conversation has one place, whoever's session or end user is written beside it."""

import itertools

from tidegate.core.conversation_place import conversation_place, named_session
from tidegate.core.receipt import Receipt


def of(**fields: object) -> int | None:
    return conversation_place(receipt(**fields))


def receipt(**fields: object) -> Receipt:
    made = Receipt("id", 1.0, "g", "chat", key_id="k", team="t", customer="c")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_all_turns_of_a_named_session_have_one_place() -> None:
    place = of(session_id="s", conversation=7)
    assert place == of(session_id="s", conversation=8, end_user="ana", key_id="k2", id="other")
    assert place is not None and 0 <= place < 1 << 64


def test_without_a_session_it_is_how_it_began_and_who_asks() -> None:
    every = [
        of(),
        of(session_id="s"),
        of(session_id="s", customer="c2"),
        of(session_id="s", team="t2"),
        of(conversation=7),
        of(conversation=8),
        of(conversation=7, end_user="ana"),
        of(conversation=7, key_id="k2"),
    ]
    assert every[0] is None
    assert all(one != other for one, other in itertools.combinations(every, 2))
    assert of(end_user="ana") is None  # a user talks of many things


def test_what_a_limit_by_session_makes_up_is_no_session() -> None:
    plain = of(conversation=7)
    limited = receipt(conversation=7)
    limited.session_id = limited.session
    assert limited.session_id == "conversation-7"
    assert conversation_place(limited) == plain
    user = receipt(conversation=7, end_user="ana")
    user.session_id = user.session
    assert named_session(user) is None
    assert conversation_place(user) == of(conversation=7, end_user="ana")
    assert named_session(receipt(session_id="conversation-7", conversation=8)) == "conversation-7"
