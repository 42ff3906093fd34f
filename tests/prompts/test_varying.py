"""Kinds of text that varies, told by their form."""

from itertools import cycle, permutations

import msgspec
import pytest

from tidegate.prompts.varying import kind_at, starts_at

END = "\x1e"


def kind(*values: str, before: str = "system\nIt is ", behind: str = " now.") -> str:
    return kind_at([f"{before}{it}{behind}{END}" for it in values], len(before), END)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-03-01", "2026-03-02T10:11:12Z"], "date"),
        (["Monday", "Sun"], "date"),
        (["1. March", "March 3, 2026"], "date"),
        (["3/4/2026", "12/31/25"], "date"),
        (["10:11", "9:12:13"], "time"),
        (["https://a.example/1", "HTTP://b.example"], "url"),
        (["17", "-3.5", "1_000"], "number"),
        (["a81bc81b", "user-77"], "identifier"),
        (["Sunny", "Marcel"], "name"),
        (["[email]", "[phone]"], "taken out"),
        (["how so", "why not"], "text"),
        (["17", "https://x", "Ada"], "text"),  # no kind is most of them
    ],
)
def test_a_kind_by_its_form(values: list[str], expected: str) -> None:
    assert kind(*values) == expected


def test_another_role_or_another_first_word_is_another_message() -> None:
    assert kind_at([f"system\nx{END}user\n", f"system\nx{END}tool\n"], 9, END) == "message"
    assert kind("how so", "why not", before="user\n") == "message"
    assert kind("2026-03-01", "2026-03-02", before="user\n") == "date"


def test_members_in_another_order() -> None:
    values = {"name": "a \\" + '" {', "id": 1, "more": [1, {"x": None}]}
    written = [
        msgspec.json.encode({name: values[name] for name in names}).decode()
        for names in permutations(values)
    ]
    start = len("system\nData: {")
    assert kind_at([f"system\nData: {it}{END}" for it in written], start, END) == (
        "order of members"
    )
    other = [it.replace("1", str(n)) for n, it in zip(cycle((3, 4)), written, strict=False)]
    assert kind_at([f"system\nData: {it}{END}" for it in other], start, END) != "order of members"


@pytest.mark.parametrize(("role", "expected"), [("system", "list"), ("tools", "tools")])
def test_a_list_in_another_order(role: str, expected: str) -> None:
    several = [
        f"{role}\n[{','.join(it)}]{END}" for it in permutations(['{"n":"a"}', '{"n":"b"}', "[2]"])
    ]
    assert kind_at(several, len(role) + 2, END) == f"order of {'a ' * (role != 'tools')}{expected}"


def test_brackets_that_are_no_json_are_text() -> None:
    assert kind("so", "or so", before="system\nUse {curly [words ") == "text"


def test_a_word_begins_where_it_does() -> None:
    assert starts_at("It is 2026-03-01", 14) == 6
    assert starts_at("It is ", 6) == 6
    assert starts_at("x" * 500, 300) == 300 - 64
