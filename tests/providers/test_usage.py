"""Which figures are not believed, of any provider's."""

from tidegate.core.ask import Usage
from tidegate.providers._usage import MAX_PLAUSIBLE_TOKENS, are_plausible, has_no_output


def test_figures_that_no_answer_has() -> None:
    assert are_plausible(0, None, MAX_PLAUSIBLE_TOKENS)
    assert not are_plausible(1, -1)
    assert not are_plausible(MAX_PLAUSIBLE_TOKENS + 1)


def test_no_output_is_neither_text_nor_thought() -> None:
    assert has_no_output(Usage(1, None, None, 0))
    assert not has_no_output(Usage(1, None, None, 0, 3))
    assert not has_no_output(Usage(1))
