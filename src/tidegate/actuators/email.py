"""email: mail by the SMTP server that the plan names.

A mail has the same Message-ID at each try, by which mail systems know it again.
"""

import contextlib
import smtplib
import socket
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from tidegate.actuators import _dial, _words
from tidegate.actuators._dial import Line, Peer
from tidegate.core.address import is_loopback
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import Message, NotDelivered
from tidegate.core.ways import Place, Told

_WHO: Final = "tidegate"
_NEVER = 500  # from this status on, a mail or a recipient is refused for good
_MOST_LETTERS = 254


class Email:
    reads = frozenset({"server", "tls", "user", "secret", "sender", "to", "private", "ca_file"})
    needs = frozenset({"server", "sender", "to"})
    repeatable = True
    renew_s = None

    def complaint(self, declared: DeclaredWay) -> str | None:
        for address in (declared.sender or "", *declared.to):
            if not _is_address(address):
                return f"{address!r} is no mail address such as oncall@example.com"
        if (declared.user is None) != (declared.secret is None):
            return "who logs in needs both `user` and `secret`"
        here = declared.server is not None and is_loopback(declared.server.host)
        if declared.user is not None and declared.tls == "none" and not here:
            return "a password is not sent without TLS; remove `tls: none`"
        return None

    def send(self, message: Message, to: Place, now_s: float) -> Told | None:
        declared = to.declared
        server = declared.server
        if server is None or (declared.user is not None and to.secret is None):
            raise NotDelivered("its secret, the password, is not to be had")
        peer = Peer(server.host, server.port, declared.private is True, declared.ca_file)
        what = mail(message, declared)
        with Line(peer) as line:
            if declared.tls == "implicit":
                line.encrypt(peer)
            try:
                remark = _hand_over(_Smtp(line, peer), peer, what, to)
                return None if remark is None else Told(remark)
            except smtplib.SMTPException as error:
                raise _ours(error) from None
            except (OSError, ValueError) as error:
                raise NotDelivered(f"no answer: {type(error).__name__}") from None


class _Smtp(smtplib.SMTP):
    """SMTP over a line that is open already."""

    def __init__(self, line: Line, peer: Peer) -> None:
        self._line = line
        super().__init__(peer.host, peer.port, local_hostname=_WHO, timeout=_dial.TOTAL_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._line.socket


def mail(message: Message, declared: DeclaredWay) -> EmailMessage:
    """The message as a mail: text only, and an answer to the mail that it ends."""
    made = EmailMessage()
    made["From"] = declared.sender
    made["To"] = ", ".join(declared.to)
    mark = f"[{message.source}] [{_words.gravest(message)}] "
    made["Subject"] = " ".join((mark + _words.headline(message)).split())
    made["Date"] = format_datetime(datetime.fromtimestamp(message.at_s, UTC))
    made["Message-ID"] = _id(message.id, declared)
    if message.ends is not None:
        made["In-Reply-To"] = made["References"] = _id(message.ends, declared)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n\n".join(_words.paragraphs(message)) + "\n")
    return made


def _hand_over(smtp: smtplib.SMTP, peer: Peer, what: EmailMessage, to: Place) -> str | None:
    """Whom it was not taken for, of several; the others have it."""
    try:
        if to.declared.tls in (None, "starttls"):
            smtp.starttls(context=_dial.context(peer))
        if to.declared.user is not None and to.secret is not None:
            smtp.login(to.declared.user, to.secret.reveal())
        refused = smtp.send_message(what)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()  # it was taken, whatever is said now
    finally:
        smtp.close()
    return f"not taken for {', '.join(sorted(refused))}" if refused else None


def _ours(error: smtplib.SMTPException) -> NotDelivered:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        never = min(codes) >= _NEVER
        return NotDelivered(f"every recipient is refused: status {max(codes)}", final=never)
    if isinstance(error, smtplib.SMTPResponseException):
        never = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _NEVER
        return NotDelivered(f"status {error.smtp_code}", final=never)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotDelivered("the mail server does not offer what is declared: STARTTLS or login")
    return NotDelivered(f"no answer: {type(error).__name__}")


def _id(of: str, declared: DeclaredWay) -> str:
    host = (declared.sender or "").rpartition("@")[2]
    return f"<{of}@{host}>"


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' <>,;:"\\()[]')
    return bool(name and at and host) and plain and len(text) <= _MOST_LETTERS


plug = Email()
