"""How control starts: it makes the state, opens the store, and then is the process.

It ends with status 78 when it refuses to start at all, after printing every reason: starting it
again would not help.
"""

import logging
import os
import sys
from collections.abc import Sequence

import uvloop

from tidegate.control import options, secret_checks
from tidegate.control.credentials import create_state
from tidegate.control.plans import NoPlan
from tidegate.control.process import Beside, Process
from tidegate.control.secret_checks import SecretsRefused
from tidegate.stores import database, migrate
from tidegate.stores.errors import DriverMissing, SchemaTooNew, SessionsNotKept, StoreError
from tidegate.stores.shared import shared_database

EX_CONFIG = 78

_log = logging.getLogger(__name__)


def main(argv: Sequence[str], beside: Beside | None = None) -> int:
    """Run control, with what is given inside; the process's exit status."""
    settings = options.read(argv)
    logging.basicConfig(format="%(asctime)s %(levelname)s control: %(message)s")
    logging.getLogger("tidegate").setLevel(logging.INFO)
    try:
        listener = options.listening(settings)
        create_state(settings.layout)
        hosts = (str(listener.getsockname()[0]), settings.gateway_host)
        secret_checks.refuse_weak(settings.layout, hosts)
        with database.claim_writer(settings.layout.ledger_db):
            shared = shared_database(os.environ, settings.layout)
            engine = database.open_store(settings.layout.ledger_db, shared)
            feed_engine = database.open_hasty(engine, shared)
            try:
                migrate.migrate(engine)
                secret_checks.refuse_other_peppers(settings.layout, engine)
                process = Process(settings, listener, engine, feed_engine, beside or Beside())
                return uvloop.run(process.run())
            finally:
                feed_engine.dispose()
                engine.dispose()
    except NoPlan as refused:
        return _refuse("the plan is refused", refused.problems)
    except SecretsRefused as refused:
        return _refuse("its secrets are refused", refused.sentences)
    except (SchemaTooNew, DriverMissing, SessionsNotKept) as error:
        return _refuse("the database is refused", [str(error)])
    except (StoreError, OSError) as error:
        _log.error("control cannot start: %s", error)
        return 1


def _refuse(why: str, sentences: list[str]) -> int:
    sys.stderr.write(f"tidegate cannot start: {why}:\n")
    sys.stderr.writelines(f"  {sentence}\n" for sentence in sentences)
    return EX_CONFIG
