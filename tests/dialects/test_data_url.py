"""Data URLs are taken apart, other addresses left alone, and what is neither is refused."""

import pytest

from tidegate.core.outcome import Refusal
from tidegate.dialects._data_url import data_of


def test_what_it_holds() -> None:
    assert data_of("data:image/png;base64,iVBO", "m") == ("image/png", "iVBO")
    assert data_of("data:text/plain;charset=utf-8;base64,YQ==", "m") == ("text/plain", "YQ==")
    assert data_of("https://x/data:image/png;base64,a", "m") == (None, None)


@pytest.mark.parametrize("url", ["data:image/png,abc", "data:image/png;base64", "data:"])
def test_one_that_is_not_base64_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as no:
        data_of(url, "input[0]")
    assert no.value.param == "input[0]" and "`input[0]`" in no.value.message
