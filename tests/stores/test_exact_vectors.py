"""One partition's matrix, held against a plain dict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stores.vectors_made import DIMENSIONS, cosine, vector

from tidegate.stores.exact_vectors import Matrix

_numbers = st.lists(st.integers(-4, 4).map(float), min_size=DIMENSIONS, max_size=DIMENSIONS).filter(
    any
)
_step = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 30), _numbers),
    st.tuples(st.just("drop"), st.integers(0, 30), _numbers),
    st.tuples(st.just("nearest"), st.integers(1, 40), _numbers),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_step, max_size=120))
def test_it_finds_what_a_dict_would(steps: list[tuple[str, int, list[float]]]) -> None:
    matrix, kept = Matrix(), dict[int, bytes]()
    for what, number, numbers in steps:
        it = vector(*numbers)
        if what == "put":
            matrix.put(number, it)
            kept[number] = it
        elif what == "drop":
            matrix.drop(number)
            kept.pop(number, None)
        else:
            found = matrix.nearest(it, number)
            scores = sorted((cosine(it, other) for other in kept.values()), reverse=True)
            assert np.allclose([score for _, score in found], scores[:number], atol=1e-6)
            assert len({label for label, _ in found}) == len(found)
            for label, score in found:
                assert abs(cosine(it, kept[label]) - score) < 1e-6
        assert len(matrix) == len(kept)


def test_what_is_no_vector_of_its_length_is_neither_kept_nor_found() -> None:
    matrix = Matrix()
    nan = np.full(DIMENSIONS, np.nan, "<f4").tobytes()
    for bad in (b"", b"abc", nan):
        matrix.put(1, bad)
        assert matrix.nearest(bad, 1) == []
    matrix.put(1, vector(1))
    for bad in (b"", b"abc", nan, vector(1)[:8]):
        matrix.put(2, bad)
        assert matrix.nearest(bad, 1) == []
    assert len(matrix) == 1


def test_it_gives_back_what_it_does_not_need() -> None:
    matrix = Matrix()
    for label in range(1000):
        matrix.put(label, vector(1, 0, 0, label))
    most = matrix.size_bytes
    for label in range(990):
        matrix.drop(label)
    assert matrix.size_bytes < most / 20
    assert {label for label, _ in matrix.nearest(vector(1, 0, 0, 995), 10)} == set(range(990, 1000))
    scored = matrix.scored(vector(0, 0, 0, 1), [995, 1, 999])
    assert {label for label, _ in scored} == {995, 999}
    assert sorted(matrix.labels()) == list(range(990, 1000))
    assert matrix.values([995, 990]).shape == (2, DIMENSIONS)
