"""What is not carried has words that help."""

import re
from pathlib import Path

from tidegate.config.litellm_advice import ADVICE, HARMLESS_INFO, HARMLESS_PARAMS, PARAMETERS


def test_each_word_of_advice_is_one_and_names_pages_that_are_there(repository: Path) -> None:
    for name, said in ADVICE.items():
        assert name == name.strip()
        for page in re.findall(r"docs/[a-z-]+\.md", said):
            assert (repository / page).is_file(), page


def test_no_key_is_in_two_lists() -> None:
    assert not set(PARAMETERS) & set(ADVICE)
    assert not set(HARMLESS_INFO) & set(ADVICE)
    assert set(HARMLESS_PARAMS) & set(ADVICE) <= {"model_info"}
