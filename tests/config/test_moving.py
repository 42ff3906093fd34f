"""Findings: the same again is counted, what is left comes first."""

from tidegate.config.moving import Finding, Findings


def test_the_same_is_counted_and_what_is_left_comes_first() -> None:
    found = Findings()
    found.carried("a", "b")
    found.left("c", "why")
    found.changed("d", "e", "how")
    found.left("c", "why")
    assert found.all() == [
        Finding("left", "c", "", "why", 2),
        Finding("changed", "d", "e", "how"),
        Finding("carried", "a", "b"),
    ]
    assert set(found.paths()) == {"a", "c", "d"}
