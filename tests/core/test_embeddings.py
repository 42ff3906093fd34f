import msgspec

from tidegate.core.ask import Usage
from tidegate.core.embeddings import Made, Wanted


def test_what_nobody_said_stays_unsaid() -> None:
    assert Wanted(["a"]).dimensions is None
    made = msgspec.structs.replace(Made([[1.0]]), usage=Usage(input_tokens=2))
    assert (made.vectors, made.usage, made.model) == ([[1.0]], Usage(2), None)
