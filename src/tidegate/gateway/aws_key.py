"""The machine's own AWS key: from the environment, or from the files that AWS's tools write.

Environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and for a region
`AWS_REGION` or `AWS_DEFAULT_REGION`. Files: `~/.aws/credentials` and `~/.aws/config`, or what
`AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name, in the profile `AWS_PROFILE` or `default`.

Nobody is asked over the network: roles (web identity, container, instance) are an identity that a
plan declares (`cloud_identity`). SSO and `credential_process` are not known. Whatever holds such
credentials can write them to the file, which is read again when it has changed: so a key that
expires is replaced without a restart.
"""

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tidegate.core.credential import SigningKey
from tidegate.core.secret import Secret
from tidegate.stores.file_stamp import FileStamp, stamp_of

MAX_FILE_BYTES: Final = 1024 * 1024
_ELSEWHERE: Final = (
    *("role_arn", "credential_process", "sso_session", "sso_start_url"),
    *("web_identity_token_file", "credential_source", "source_profile"),
)


class AwsKey:
    """`key` is the newest that could be read, None before there was one; `problem` says what keeps
    a newer one from being read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._profile = environ.get("AWS_PROFILE") or "default"
        home = environ.get("HOME") or "/"
        self._files = (
            Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or f"{home}/.aws/credentials"),
            Path(environ.get("AWS_CONFIG_FILE") or f"{home}/.aws/config"),
        )
        self._seen: tuple[FileStamp | None, ...] | None = None
        self.key: SigningKey | None = None
        self.problem: str | None = None

    def refresh(self) -> None:
        """Reads what has changed since the last time. Blocks for as long as the files do; a key
        that was good stays until there is another, because AWS is the one who refuses it."""
        stamps = tuple(map(stamp_of, self._files))
        if stamps == self._seen:
            return
        self._seen = stamps
        try:
            self.key = self._read()
            self.problem = None
        except _Missing as missing:
            self.problem = str(missing)

    def _read(self) -> SigningKey:
        credentials = _section(self._files[0], self._profile)
        config = _section(self._files[1], f"profile {self._profile}")
        if self._profile == "default":
            config = {**config, **_section(self._files[1], "default")}
        environ = self._environ
        region = (
            environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or config.get("region")
        )
        of_environ = {
            "aws_access_key_id": environ.get("AWS_ACCESS_KEY_ID", ""),
            "aws_secret_access_key": environ.get("AWS_SECRET_ACCESS_KEY", ""),
            "aws_session_token": environ.get("AWS_SESSION_TOKEN", ""),
        }
        for told in (of_environ, credentials, config):
            if told.get("aws_access_key_id"):
                return _key(told, region)
        raise _Missing(self._why_not({**config, **credentials}))

    def _why_not(self, told: Mapping[str, str]) -> str:
        elsewhere = next((name for name in _ELSEWHERE if name in told), None)
        if elsewhere is not None:
            return (
                f"the AWS profile {self._profile} gets its key by {elsewhere}, which is not asked"
            )
        return (
            "there is no AWS key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them "
            f"to {self._files[0]} in the profile {self._profile}"
        )


class _Missing(Exception):
    """No whole key is to be had; the message says why, and holds no secret."""


def _section(file: Path, name: str) -> dict[str, str]:
    """A section of an INI file; empty where there is none. _Missing where it cannot be read."""
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        with file.open("rb") as opened:
            parser.read_string(opened.read(MAX_FILE_BYTES).decode())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, configparser.Error):
        raise _Missing(f"the AWS file {file} cannot be read") from None
    return dict(parser[name]) if parser.has_section(name) else {}


def _key(told: Mapping[str, str], region: str | None) -> SigningKey:
    values = [told.get(f"aws_{name}", "") for name in ("access_key_id", "secret_access_key")]
    session = told.get("aws_session_token", "")
    key_id, secret = (value.strip() for value in values)
    for name, value in (("key's id", key_id), ("secret", secret), ("session token", session)):
        if not value.isascii() or not value.isprintable() or " " in value:
            raise _Missing(f"the AWS {name} holds signs that it cannot have")
    if not secret:
        raise _Missing(f"the AWS key {key_id} has no secret beside it")
    return SigningKey(key_id, Secret(secret), Secret(session) if session else None, region or None)
