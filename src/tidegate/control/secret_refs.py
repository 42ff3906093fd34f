"""Secrets that the plan names for control's own use, found when they are needed."""

from collections.abc import Mapping
from pathlib import Path

from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret, SecretRef

_MAX_SECRET_BYTES = 64 * 1024


def resolve(ref: SecretRef | None, environ: Mapping[str, str]) -> Secret | None:
    """The secret that a reference leads to. NotDelivered when there is none."""
    if ref is None or (ref.env is None and ref.file is None):
        return None
    text = environ.get(ref.env, "") if ref.env is not None else ""
    if ref.file is not None:
        try:
            with Path(ref.file).open("rb") as file:
                text = file.read(_MAX_SECRET_BYTES).decode("utf-8")
        except (OSError, ValueError):
            text = ""
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise NotDelivered(f"its secret {ref} is not to be had")
    return Secret(text)


def find(ref: SecretRef, environ: Mapping[str, str]) -> Secret | None:
    """The same, for whom its absence is no failure to tell somebody."""
    try:
        return resolve(ref, environ)
    except NotDelivered:
        return None
