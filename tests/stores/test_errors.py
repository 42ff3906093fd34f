import pytest

from tidegate.stores import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.StoreUnavailable,
        errors.StoreCorrupt,
        errors.RowRefused,
        errors.SchemaTooNew,
        errors.WriterTaken,
    ],
)
def test_one_kind_catches_them_all(kind: type[errors.StoreError]) -> None:
    assert issubclass(kind, errors.StoreError)


def test_a_corrupt_store_is_not_taken_for_one_that_comes_back() -> None:
    assert not issubclass(errors.StoreCorrupt, errors.StoreUnavailable)
