"""The machine's own AWS key is found where AWS's tools put it, and replaced when they do."""

import os
from pathlib import Path

import pytest

from tidegate.core.credential import SigningKey
from tidegate.gateway.aws_key import AwsKey

FILE = """\
# written by a tool
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key = secret%default

[work]
aws_access_key_id=AKIDWORK
aws_secret_access_key=secret=work
aws_session_token=token/+==
"""
CONFIG = """\
[default]
region = us-east-1
[profile work]
region = eu-central-1
[profile own]
aws_access_key_id = AKIDOWN
aws_secret_access_key = secret-own
[profile role]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = default
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(FILE)
    (tmp_path / ".aws/config").write_text(CONFIG)
    return tmp_path


def found(home: Path, **environ: str) -> AwsKey:
    aws = AwsKey({"HOME": str(home), **environ})
    aws.refresh()
    return aws


def shown(key: SigningKey | None) -> tuple[str, str, str | None, str | None]:
    assert key is not None
    session = None if key.session is None else key.session.reveal()
    return key.id, key.secret.reveal(), session, key.region


def test_the_environment_goes_before_the_files(home: Path) -> None:
    aws = found(
        home,
        AWS_ACCESS_KEY_ID="AKIDENV",
        AWS_SECRET_ACCESS_KEY="secret-env",
        AWS_SESSION_TOKEN="token-env",
        AWS_REGION="eu-west-1",
        AWS_DEFAULT_REGION="eu-west-2",
        AWS_PROFILE="work",
    )
    assert shown(aws.key) == ("AKIDENV", "secret-env", "token-env", "eu-west-1")


def test_profiles_of_the_files(home: Path) -> None:
    assert shown(found(home).key) == ("AKIDDEFAULT", "secret%default", None, "us-east-1")
    work = ("AKIDWORK", "secret=work", "token/+==", "eu-central-1")
    assert shown(found(home, AWS_PROFILE="work").key) == work
    assert shown(found(home, AWS_PROFILE="own").key) == ("AKIDOWN", "secret-own", None, None)
    other = found(home, AWS_DEFAULT_REGION="ap-south-1")
    assert shown(other.key)[3] == "ap-south-1"


def test_the_default_profile_may_be_written_either_way(home: Path) -> None:
    (home / ".aws/config").write_text("[profile default]\nregion = sa-east-1\n")
    assert shown(found(home).key)[3] == "sa-east-1"


def test_files_elsewhere(home: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[default]\naws_access_key_id=A\naws_secret_access_key=b\n")
    environ = {"AWS_SHARED_CREDENTIALS_FILE": f"{tmp_path}/keys", "AWS_CONFIG_FILE": "/nowhere"}
    assert shown(found(home, **environ).key) == ("A", "b", None, None)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"AWS_PROFILE": "absent"}, "there is no AWS key"),
        ({"AWS_PROFILE": "role"}, "gets its key by role_arn, which is not asked"),
        ({"AWS_ACCESS_KEY_ID": "AKIDENV"}, "the AWS key AKIDENV has no secret beside it"),
        ({"AWS_ACCESS_KEY_ID": "A\r\nx: y", "AWS_SECRET_ACCESS_KEY": "s"}, "signs"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "/"}, "cannot be read"),
    ],
)
def test_what_is_missing_is_said(home: Path, environ: dict[str, str], problem: str) -> None:
    aws = found(home, **environ)
    assert aws.key is None
    assert aws.problem is not None and problem in aws.problem


def test_a_machine_without_any_says_what_to_set(tmp_path: Path) -> None:
    aws = found(tmp_path)
    assert aws.key is None
    assert aws.problem is not None and "AWS_ACCESS_KEY_ID" in aws.problem


@pytest.mark.parametrize("text", ["[default\n", "aws_access_key_id = A\n", "[default]\n  x\ny\n"])
def test_a_file_that_is_none_is_said_and_shows_nothing_of_it(home: Path, text: str) -> None:
    (home / ".aws/credentials").write_text(text + "aws_secret_access_key = hush\n")
    aws = found(home)
    assert aws.key is None and aws.problem is not None
    assert "cannot be read" in aws.problem and "hush" not in aws.problem


def rewrite(file: Path, text: str) -> None:
    """As tools do it: a new file in the old one's place."""
    new = file.with_name("new")
    new.write_text(text)
    new.replace(file)


def test_a_key_that_was_replaced_is_read_again(home: Path) -> None:
    aws = found(home)
    rewrite(home / ".aws/credentials", FILE.replace("AKIDDEFAULT", "AKIDLATER"))
    aws.refresh()
    assert shown(aws.key)[0] == "AKIDLATER"


def test_a_key_stays_until_there_is_another(home: Path) -> None:
    """A tool that writes in place leaves half a file for a moment; one may take it away."""
    aws = found(home)
    before = aws.key
    for text in ("[default]\naws_access_key_id = AKIDHALF\n", "[def"):
        rewrite(home / ".aws/credentials", text)
        aws.refresh()
        assert aws.key is before and aws.problem is not None
    (home / ".aws/credentials").unlink()
    aws.refresh()
    assert aws.key is before and aws.problem is not None
    (home / ".aws/credentials").write_text(FILE)
    aws.refresh()
    assert aws.problem is None and aws.key is not before


def test_a_file_that_did_not_change_is_not_read_again(home: Path) -> None:
    aws = found(home)
    before = aws.key
    file = home / ".aws/credentials"
    stamp = file.stat()
    with file.open("r+") as opened:
        opened.write(FILE.replace("AKIDDEFAULT", "AKIDCHANGED"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    aws.refresh()
    assert aws.key is before


def test_what_is_shown_of_it_holds_no_secret(home: Path) -> None:
    aws = found(home)
    assert "secret%default" not in repr(aws.key) + repr(vars(aws))
