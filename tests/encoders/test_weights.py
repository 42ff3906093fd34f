"""Files that are known by their digests."""

from hashlib import sha256
from pathlib import Path

import pytest

from tidegate.core.encoding import EncoderUnavailable
from tidegate.encoders._weights import folder_of, whole


def test_a_package_is_found_without_running_it() -> None:
    assert (folder_of("tidegate", "x") / "encoders").is_dir()


def test_one_that_is_missing_says_which_extra_has_it() -> None:
    with pytest.raises(EncoderUnavailable, match=r"no_such_one is missing.*tidegate\[x\]"):
        folder_of("no_such_one", "x")


def test_a_file_is_given_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    assert whole(file, sha256(b"abc").hexdigest(), "x") == b"abc"
    with pytest.raises(EncoderUnavailable, match="damaged or of another version"):
        whole(file, sha256(b"abd").hexdigest(), "x")
    with pytest.raises(EncoderUnavailable, match="No such file"):
        whole(tmp_path / "none", "", "x")
