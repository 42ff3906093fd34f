"""Where things lie in the state directory. Paths only; who writes each is said beside it."""

import hashlib
import tempfile
from pathlib import Path

from tidegate.core.spool import SpoolName

# A Unix socket's address holds about 104 bytes on the systems that we run on.
_SOCKET_PATH_BYTES = 100


class Layout:
    """Paths under one state directory."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ledger_db = state / "ledger.db"  # control; gateways read keys from it
        self.pepper = state / "pepper"  # control, once; newer ones: stores.peppers; mode 0600
        self.operator_token = state / "operator.token"  # control, once; mode 0600
        self.node = state / "node"  # this machine's name in a shared database
        self.plan = state / "plan.msgpack"  # control; gateways read it at start
        self.journal = state / "journal"  # one folder a gateway; the recorder deletes
        self.spool = state / "spool"  # by kind one folder a gateway; the recorder deletes
        self.handover = state / "handover"  # gateways; what people are told of, until they were
        self.run = state / "run"  # pid files and locks; what each gateway knows of the clock
        self.cache = state / "cache"  # what each gateway keeps of answers with `store: disk`
        self.issuers = state / "issuers"  # gateways: the last keys of issuers of tokens
        self.log = state / "log"

    def journal_of(self, gateway: str) -> Path:
        return self.journal / gateway

    def spool_of(self, name: SpoolName, gateway: str) -> Path:
        return self.spool / name / gateway

    def kept_of(self, gateway: str) -> Path:
        return self.cache / f"{gateway}.db"

    def clock_of(self, gateway: str) -> Path:
        return self.run / f"{gateway}.clock"

    @property
    def feed_socket(self) -> Path:
        path = self.run / "feed.sock"
        if len(str(path)) <= _SOCKET_PATH_BYTES:
            return path
        digest = hashlib.sha256(str(self.state.resolve()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tidegate-{digest}.sock"


def segment_name(number: int) -> str:
    """File name of a journal segment; names sort as their numbers do."""
    return f"{number:012d}.journal"
