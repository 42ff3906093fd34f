"""Secrets that a file of another gateway holds: never in a plan, each in a file of its own."""

import hashlib
from pathlib import PurePosixPath

from tidegate.config.their_file import FileRefused


class Secrets:
    """`files` are the secrets by the file that the plan names for each."""

    def __init__(self, folder: str = "secrets") -> None:
        self._folder = PurePosixPath(folder)
        self.files: dict[str, str] = {}

    def put(self, what: str, secret: str) -> str:
        """The reference that stands for it in the plan; the same secret has one file.
        FileRefused."""
        try:
            mark = hashlib.sha256(secret.encode()).hexdigest()[:8]
        except UnicodeEncodeError:
            raise FileRefused(f"a secret of {what} is no text: half a surrogate pair") from None
        file = str(self._folder / f"{what}-{mark}")
        self.files[file] = secret
        return f"file:{file}"
