"""How names are listed in a finding."""

from tidegate.evals.finding import listed


def test_few_names_are_all_said_and_many_are_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
