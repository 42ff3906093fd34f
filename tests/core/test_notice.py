from tidegate.core.notice import SEVERITIES, graver, severity_of


def test_a_page_is_the_gravest() -> None:
    pairs = {(one, other) for one in SEVERITIES for other in SEVERITIES if graver(one, other)}
    assert pairs == {("page", "ticket"), ("page", "info"), ("ticket", "info")}


def test_a_severity_that_is_none_of_ours_is_overlooked_by_nobody() -> None:
    assert [severity_of(one) for one in SEVERITIES] == list(SEVERITIES)
    assert severity_of("critical") == "page"
    assert graver("critical", "ticket")
