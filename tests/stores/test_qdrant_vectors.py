"""Where a Qdrant is, from its address. What is found in it: tests/contract/test_vectors.py."""

import pytest

from tidegate.core.secret import Secret
from tidegate.stores import qdrant_vectors


@pytest.mark.parametrize(
    ("address", "url", "key"),
    [
        ("http://q:6333", "http://q:6333", None),
        ("https://:s%2Fecret@q.example:6334/deep", "https://q.example:6334/deep", "s/ecret"),
    ],
)
def test_the_password_of_an_address_is_the_key_and_not_sent_in_it(
    address: str, url: str, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, object]] = []
    monkeypatch.setattr(qdrant_vectors, "QdrantClient", lambda **given: made.append(given))
    qdrant_vectors.reaching(Secret(address))._made()
    assert [(it["url"], it["api_key"]) for it in made] == [(url, key)]
