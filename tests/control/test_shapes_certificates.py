import msgspec
import pytest

from tidegate.control.shapes_certificates import NewCertificate

WHOLE = {
    "prompt": "support",
    "version": "v4",
    "digest": "d" * 64,
    "model": "m",
    "suite": "s",
    "suite_digest": "e" * 64,
    "cases": 1,
    "findings": [{"check": "quality", "verdict": "pass", "why": "not worse"}],
    "run": "r",
    "for_s": 60.0,
    "reason": "x",
}


@pytest.mark.parametrize(
    "given",
    [
        *({"digest": "d"}, {"cases": 0}, {"for_s": 0}, {"for_s": 1e9}, {"signature": "x"}),
        *({"findings": [{"check": "a", "verdict": "block", "why": ""}]}, {"findings": []}),
    ],
)
def test_what_no_gate_says_is_refused(given: dict[str, object]) -> None:
    assert msgspec.convert(WHOLE, NewCertificate).cases == 1
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**WHOLE, **given}, NewCertificate)
