"""Weights and tokenizers as they were packed: files that are known by their digests."""

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tidegate.core.encoding import EncoderUnavailable


def folder_of(package: str, extra: str) -> Path:
    """Where an installed package lies; none of its code runs. EncoderUnavailable."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(f"{package} is missing: pip install 'tidegate[{extra}]'")
    return Path(spec.origin).parent


def whole(path: Path, digest: str, extra: str) -> bytes:
    """A file, if its SHA-256 is `digest` (hexadecimal). EncoderUnavailable."""
    again = f"install it again: pip install --force-reinstall 'tidegate[{extra}]'"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EncoderUnavailable(f"{path} cannot be read ({error.strerror}); {again}") from None
    if sha256(data).hexdigest() != digest:
        raise EncoderUnavailable(f"{path} is damaged or of another version; {again}")
    return data
