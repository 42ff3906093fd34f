"""What such a process is given of the environment: what programs need to run and to reach the
network, and no secret, so that no library finds a key that no plan has named."""

from collections.abc import Mapping
from typing import Final

_KEPT: Final = frozenset(
    (
        *("PATH", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    )
)
_KEPT_PREFIXES: Final = ("LC_", "PYTHON")


def harmless(environ: Mapping[str, str]) -> dict[str, str]:
    """That, and no home: clouds' tools keep their keys there."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return kept | {"HOME": "/nonexistent"}
