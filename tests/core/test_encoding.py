"""An encoder is opened by its name, or it is said why there is none."""

import pytest

from tidegate.core import plugs
from tidegate.core.encoding import EncoderUnavailable, open_encoder, why_unavailable


def test_one_that_nobody_has_is_named_with_those_that_there_are() -> None:
    with pytest.raises(EncoderUnavailable, match=r"no 'none'.*minilm"):
        open_encoder("none")


def test_one_that_does_not_load_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: str, name: str) -> None:
        raise plugs.PlugError(f"{kind}: {name} does not load: it is broken")

    monkeypatch.setattr(plugs, "load", broken)
    with pytest.raises(EncoderUnavailable, match="encoders: x does not load: it is broken"):
        open_encoder("x")


def test_whoever_only_asks_is_told_why() -> None:
    assert "no 'none'" in (why_unavailable("none") or "")
    assert why_unavailable("static") is None
