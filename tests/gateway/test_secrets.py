"""What a reference of the plan points at, or nothing."""

from pathlib import Path

import pytest

from tidegate.core.secret import SecretRef
from tidegate.gateway.secrets import MAX_SECRET_BYTES, secret_of


def revealed(ref: SecretRef | None, environ: dict[str, str] | None = None) -> str | None:
    found = secret_of(ref, environ or {})
    return None if found is None else found.reveal()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((b" s3cret\n", "s3cret"), (b"", None), (b" \n", None), (b"two\nlines", None)),
        *((b"\xff", None), ("gr\u00fcn".encode(), None), (b"a" * MAX_SECRET_BYTES * 2, "cut")),
    ],
    ids=range(7),
)
def test_of_a_file_and_of_a_variable(tmp_path: Path, text: bytes, expected: str | None) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text)
    wanted = "a" * MAX_SECRET_BYTES if expected == "cut" else expected
    assert revealed(SecretRef(file=str(file))) == wanted
    if wanted is None or expected != "cut":
        told = {"S": text.decode("latin-1")}
        assert revealed(SecretRef(env="S"), told) == wanted


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert revealed(None) is None
    assert revealed(SecretRef(env="S")) is None
    assert revealed(SecretRef(file=str(tmp_path / "none"))) is None
    assert revealed(SecretRef(file=str(tmp_path))) is None
    assert revealed(SecretRef(file="a\0b")) is None
