"""Every encoder: unit vectors of its size, the same for the same text in whatever batch and thread,
near for what means the same; and no text that makes it fail, wait for a network or cut it short."""

import math
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.core import plugs
from tidegate.core.encoding import Encoder, Vector, open_encoder

NAMES = tuple(plugs.names("encoders"))
# The same question, and one that is about something else.
ASKED, SAME, OTHER = (
    "How do I reset the password of my account?",
    "How can I reset my account password?",
    "What is the capital of France?",
)
HUB_CLIENTS = ("huggingface_hub", "hf_xet", "requests", "httpx2", "wordllama")


@pytest.fixture(scope="module", params=NAMES)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return open_encoder(request.param)


def cosine(one: Vector | None, other: Vector | None) -> float:
    assert one is not None
    assert other is not None
    return sum(map(float.__mul__, numbers(one), numbers(other)))


def numbers(vector: Vector) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 4}f", vector)


def test_there_are_encoders() -> None:
    assert NAMES == ("minilm", "static")


def test_vectors_are_of_its_size_and_of_length_one(encoder: Encoder) -> None:
    for vector in encoder.encode([ASKED, "?", "日本の首都はどこですか", "a"]):
        assert vector is not None
        assert len(vector) == 4 * encoder.dimensions
        assert math.sqrt(cosine(vector, vector)) == pytest.approx(1, abs=1e-6)


def test_what_means_the_same_is_nearer(encoder: Encoder) -> None:
    asked, same, other = encoder.encode([ASKED, SAME, OTHER])
    assert cosine(asked, same) > 0.85
    assert cosine(asked, other) < 0.4


def test_a_text_has_one_vector_in_whatever_batch_and_thread(encoder: Encoder) -> None:
    texts = [ASKED, "a", OTHER, SAME, f"{ASKED} " * 8]
    alone = [encoder.encode([text])[0] for text in texts]
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(encoder.encode, [texts] * 4))
    for batch in batches:
        for one, other in zip(alone, batch, strict=True):
            assert cosine(one, other) == pytest.approx(1, abs=1e-5)
    assert encoder.encode([]) == []


@pytest.mark.parametrize("text", ["", " \n", "word " * 4000, "x" * 100_000], ids=len)
def test_what_it_does_not_read_whole_has_no_vector(encoder: Encoder, text: str) -> None:
    """Two long texts that differ at their ends only would have the same."""
    assert encoder.encode([ASKED, text])[1] is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.text(st.characters(), max_size=60), max_size=3))
def test_no_text_makes_it_fail(encoder: Encoder, texts: list[str]) -> None:
    vectors = encoder.encode(texts)
    assert [it is None or len(it) == 4 * encoder.dimensions for it in vectors] == [True] * len(
        texts
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_starts_and_encodes_without_a_network(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: Any, **__: Any) -> Any:
        raise AssertionError("it wants a network")

    had = set(sys.modules)
    monkeypatch.setattr(socket, "socket", no)
    monkeypatch.setattr(socket, "getaddrinfo", no)
    assert open_encoder(name).encode([ASKED])[0] is not None
    assert [it for it in HUB_CLIENTS if it in sys.modules and it not in had] == []


def test_each_has_a_name_and_a_version_of_its_own(encoder: Encoder) -> None:
    assert encoder.name in NAMES
    assert encoder.version.startswith(f"{encoder.name}-")
    assert encoder.fast == (encoder.name == "static")
