"""A mail is handed over once, encrypted, and whoever does not get it is named."""

import ssl
from email import message_from_string, policy
from typing import Any

import pytest
from tests.actuators.messages import NOON_S, ending, message, notice
from tests.actuators.receivers import MailServer, running

from tidegate.actuators.email import mail, plug
from tidegate.core.address import Listen
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place, Told

WAY: dict[str, Any] = {
    "kind": "email",
    "private": True,
    "tls": "none",
    "sender": "tidegate@example.com",
    "to": ("a@example.com", "b@example.com"),
}


def place(server: MailServer, secret: str | None = None, **fields: Any) -> Place:
    declared = DeclaredWay(**{**WAY, "server": Listen("127.0.0.1", server.port), **fields})
    return Place(declared, None if secret is None else Secret(secret))


def test_it_says_what_when_and_under_which_id(mail_server: MailServer) -> None:
    one = message(notice(title="Kosten über\nBudget", text="Zeile.\n.\nEnde"))
    assert plug.send(one, place(mail_server), NOON_S) is None
    (taken,) = mail_server.taken
    assert taken.to == ["a@example.com", "b@example.com"]
    read = message_from_string(taken.data, policy=policy.default)
    assert read["Subject"] == "[production] [page] Kosten über Budget"
    assert read["Message-ID"] == "<m1@example.com>"
    assert read["Date"] == "Mon, 21 Sep 2026 14:13:21 +0000"
    assert read["Auto-Submitted"] == "auto-generated"
    assert "Zeile.\n.\nEnde" in read.get_content().replace("..", ".")


def test_the_end_answers_the_mail_that_it_ends(mail_server: MailServer) -> None:
    over = mail(ending(message()), DeclaredWay(**WAY))
    assert (over["In-Reply-To"], over["References"]) == ("<m1@example.com>", "<m1@example.com>")
    assert over["Message-ID"] == "<m2@example.com>"


def test_starttls_is_asked_for_before_the_password(
    server_tls: ssl.SSLContext, ca_file: str
) -> None:
    with running(server := MailServer(server_tls)):
        to = place(server, "hush", tls=None, user="me", ca_file=ca_file)
        assert plug.send(message(), to, NOON_S) is None
    (taken,) = server.taken
    assert taken.encrypted and taken.user is not None


def test_implicit_tls_is_spoken(server_tls: ssl.SSLContext, ca_file: str) -> None:
    with running(server := MailServer(server_tls, implicit=True)):
        to = place(server, "hush", tls="implicit", user="me", ca_file=ca_file)
        plug.send(message(), to, NOON_S)
    assert server.taken[0].encrypted


def test_a_server_without_starttls_gets_neither_password_nor_mail(mail_server: MailServer) -> None:
    with pytest.raises(NotDelivered, match="STARTTLS"):
        plug.send(message(), place(mail_server, "hush", tls=None, user="me"), NOON_S)
    assert mail_server.taken == [] and mail_server.logins == []


def test_a_server_with_another_certificate_gets_nothing(server_tls: ssl.SSLContext) -> None:
    with running(server := MailServer(server_tls)), pytest.raises(NotDelivered, match="SSL"):
        plug.send(message(), place(server, "hush", tls=None, user="me"), NOON_S)
    assert server.taken == [] and server.logins == []


def test_whom_it_was_not_taken_for_is_said_and_the_others_have_it(mail_server: MailServer) -> None:
    mail_server.refuses = {"b@example.com": 550}
    said = plug.send(message(), place(mail_server), NOON_S)
    assert said == Told("not taken for b@example.com")
    assert mail_server.taken[0].to == ["a@example.com"]


@pytest.mark.parametrize(
    ("faults", "final", "why"),
    [
        ({"RCPT": "550 unknown"}, True, "every recipient is refused: status 550"),
        ({"RCPT": "450 busy"}, False, "every recipient is refused: status 450"),
        ({".": "554 spam"}, True, "status 554"),
        ({".": "451 later"}, False, "status 451"),
        ({"MAIL": "421 shutting down"}, False, "status 421"),
        ({"GREETING": "554 go away"}, False, "status 554"),
        ({"MAIL": None}, False, "no answer"),
        ({".": None}, False, "no answer"),
    ],
)
def test_a_no_is_a_no_for_good_only_where_it_says_so(
    mail_server: MailServer, faults: dict[str, str | None], final: bool, why: str
) -> None:
    mail_server.says = faults
    with pytest.raises(NotDelivered, match=why) as failed:
        plug.send(message(), place(mail_server), NOON_S)
    assert failed.value.final is final


def test_a_goodbye_that_fails_takes_nothing_back(mail_server: MailServer) -> None:
    mail_server.says = {"QUIT": None}
    assert plug.send(message(), place(mail_server), NOON_S) is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, None),
        ({"to": ("a@example.com, b@example.com",)}, "no mail address"),
        ({"to": ("a\r\nBcc: x@example.com",)}, "no mail address"),
        ({"sender": "Tidegate"}, "no mail address"),
        ({"user": "me"}, "both"),
        ({"user": "me", "secret": object()}, "without TLS"),
        ({"user": "me", "secret": object(), "server": Listen("localhost", 25)}, None),
        ({"user": "me", "secret": object(), "tls": "starttls"}, None),
    ],
)
def test_what_could_not_work_is_said_of_the_plan(fields: dict[str, Any], wrong: str | None) -> None:
    declared = DeclaredWay(**{**WAY, "server": Listen("smtp.example.com", 587), **fields})
    said = plug.complaint(declared)
    assert said is None if wrong is None else wrong in (said or "")
