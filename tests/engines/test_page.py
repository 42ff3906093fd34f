"""A page within bounds: what is read of it, and what is no page."""

import pytest

from tidegate.engines._page import MAX_PAGE_BYTES, NoPage, lines_of, mark_of, samples_of


def read(page: bytes, *names: str) -> dict[str, list[float]]:
    found = samples_of(lines_of(page, "e:"), names)
    return {name: [value for _, value in samples] for name, samples in found.items()}


def test_samples_keep_the_names_of_the_page() -> None:
    page = b'# TYPE e:a counter\ne:a 3\ne:b_total{x="1"} 2.5 1700000000000\ne:ab 9\nf:a 1\n'
    assert read(page, "e:a", "e:b_total", "f:a") == {"e:a": [3.0], "e:b_total": [2.5]}


def test_labels_may_hold_anything_in_quotes() -> None:
    found = samples_of(lines_of(b'e:a{x="}, \\"y\\n",z="\xc3\xa9"} 1\n', "e:"), ("e:a",))
    assert found == {"e:a": [({"x": '}, "y\n', "z": "é"}, 1.0)]}


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"e:a 1", "cut"),
        (b"e:a 1\ne:a 2", "cut"),
        (b"", "cut"),
        (b"e:a \xff\n", "UTF-8"),
        (b"e:a\n", "no sample"),
        (b"e:a{x=1} 2\n", "no sample"),
        (b"e:a one\n", "no sample"),
        (b'e:a{x="1" 2\n', "no sample"),
        (b'e:a{x="' + b"y" * 5000 + b'"} 1\n', "characters"),
        (b"e:a 1\n" * 10_001, "samples"),
        (b"e:a 1\n" * (MAX_PAGE_BYTES // 6 + 1), "bytes"),
    ],
)
def test_what_is_no_page(page: bytes, why: str) -> None:
    with pytest.raises(NoPage, match=why):
        read(page, "e:a")


def test_lines_that_nobody_asked_for_do_no_harm() -> None:
    assert read(b"e:other{{{\nnoise\ne:a 1\n", "e:a") == {"e:a": [1.0]}


def test_a_mark_is_that_of_all_lines() -> None:
    assert mark_of(["e:a 1", "e:b 2"]) == mark_of(["e:a 1", "e:b 2"])
    assert mark_of(["e:a 1", "e:b 2"]) != mark_of(["e:a 1", "e:b 3"])
