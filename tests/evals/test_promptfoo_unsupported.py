"""What is not made here."""

from tidegate.evals.promptfoo_unsupported import UNSUPPORTED


def test_code_of_every_language_is_among_it_and_each_has_its_reason() -> None:
    assert {"javascript", "python", "ruby", "webhook"} <= UNSUPPORTED.keys()
    assert all(UNSUPPORTED.values())
