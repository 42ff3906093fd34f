"""A plan is written whole with its secrets, or not at all, wherever it is killed."""

import os
import stat
from pathlib import Path

import click
import pytest

from tidegate.cli._written_plan import write_plan
from tidegate.config.written_plan import Converted

SECRETS = {"secrets/openai-1": "sk-first", "secrets/azure-2": "sk-second"}
ONE = Converted("providers: {}\n", SECRETS, {}, [])


class Killed(BaseException):
    """Nothing that is told apart may be done about it."""


def files(folder: Path) -> dict[str, str]:
    """What stands under a name that somebody reads."""
    found = (it for it in folder.rglob("*") if it.is_file() and not it.name.startswith("."))
    return {str(it.relative_to(folder)): it.read_text() for it in found}


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("how", [Killed, OSError])
def test_whatever_ends_it_leaves_no_half_and_it_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, how: type[BaseException]
) -> None:
    calls = iter(range(100))

    def ending(real: object) -> object:
        def call(*given: object) -> object:
            if next(calls) == step:
                raise how
            return real(*given)  # type: ignore[operator]

        return call

    out = tmp_path / "tidegate.yaml"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", ending(os.fsync))
        patched.setattr(os, "rename", ending(os.rename))
        with pytest.raises(Killed if how is Killed else click.ClickException):
            write_plan(ONE, out)
    left = files(tmp_path)
    assert "tidegate.yaml" not in left
    assert left.items() <= SECRETS.items()
    assert how is Killed or left == {}
    write_plan(ONE, out)
    assert files(tmp_path) == {**SECRETS, "tidegate.yaml": ONE.plan}
    assert list(tmp_path.rglob(".*")) == []


def test_secrets_are_their_owner_s_alone_and_nothing_is_written_over(tmp_path: Path) -> None:
    out = tmp_path / "tidegate.yaml"
    write_plan(ONE, out)
    for name in SECRETS:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    with pytest.raises(click.ClickException, match="there already"):
        write_plan(Converted("other", {}, {}, []), out)
    assert out.read_text() == ONE.plan
