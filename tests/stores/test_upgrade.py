"""What the steps of a migration stand on. What they do is held by tests of `migrate`."""

import subprocess
import sys
from pathlib import Path

from tests.stores import rig

from tidegate.stores import migrate, upgrade


def test_files_are_named_after_the_revisions_in_them() -> None:
    """By their names it is known whether there is anything to do."""
    chain = [script.revision for script in upgrade.scripts().walk_revisions()]
    assert chain[::-1] == migrate.revisions()


def test_it_is_not_loaded_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    rig.migrated(path).dispose()
    script = (
        "import pathlib, sys\n"
        "from tidegate.stores import database, migrate\n"
        "migrate.migrate(database.open_engine(pathlib.Path(sys.argv[1])))\n"
        "print('alembic' in sys.modules)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script, str(it)], capture_output=True, text=True, check=True
        )
        for it in (path, tmp_path / "new.db")
    ]
    assert [it.stdout.strip() for it in said] == ["False", "True"], said
