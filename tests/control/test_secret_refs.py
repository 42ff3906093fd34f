from pathlib import Path

import pytest

from tidegate.control.secret_refs import find, resolve
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import SecretRef


def test_a_secret_is_found_by_its_reference(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush\n")
    for ref in (SecretRef(env="HOOK"), SecretRef(file=str(file))):
        found = resolve(ref, {"HOOK": "hush"})
        assert found is not None and found.reveal() == "hush"
        assert find(ref, {"HOOK": "hush"}) is not None
    assert resolve(None, {}) is None
    assert resolve(SecretRef(), {}) is None


def test_one_that_is_missing_empty_or_no_header_is_not_to_be_had(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\xff")
    for missing in (
        *(SecretRef(env="NONE"), SecretRef(env="EMPTY"), SecretRef(env="TWO_LINES")),
        *(SecretRef(file=str(tmp_path / "none")), SecretRef(file=str(broken))),
    ):
        environ = {"EMPTY": " ", "TWO_LINES": "a\nb"}
        with pytest.raises(NotDelivered):
            resolve(missing, environ)
        assert find(missing, environ) is None
