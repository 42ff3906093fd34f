from tidegate.core.declared_storage import DeclaredStorage
from tidegate.core.plan import JournalBounds


def test_journal_bounds_have_the_plans_defaults():
    storage = DeclaredStorage()
    assert JournalBounds() == JournalBounds(
        storage.durability, storage.segment_bytes, storage.journal_max_bytes
    )
