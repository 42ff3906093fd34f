from msgspec import Struct
from msgspec.structs import asdict, fields

from tidegate.config.shape import Record, shape_of
from tidegate.core import declared
from tidegate.core.declared import Declared, DeclaredDeadlines, DeclaredHttp, DeclaredStorage
from tidegate.core.plan import Deadlines, HttpBounds, JournalBounds


def test_http_bounds_are_declared_one_for_one_with_the_plans_defaults():
    assert asdict(DeclaredHttp()) == asdict(HttpBounds())


def test_deadlines_are_declared_one_for_one():
    assert [f.name for f in fields(DeclaredDeadlines)] == [f.name for f in fields(Deadlines)]


def test_journal_bounds_have_the_plans_defaults():
    storage = DeclaredStorage()
    assert JournalBounds() == JournalBounds(
        storage.durability, storage.segment_bytes, storage.journal_max_bytes
    )


def test_every_key_says_what_it_is():
    for cls in vars(declared).values():
        if isinstance(cls, type) and issubclass(cls, Struct) and cls is not Struct:
            shape = shape_of(cls)
            assert isinstance(shape, Record)
            if cls.__module__ == declared.__name__:
                assert all(k.description.endswith(".") for k in shape.keys), cls


def test_a_default_plan_file_listens_on_loopback_only():
    plan = Declared()
    assert str(plan.gateway.listen) == "127.0.0.1:4000"
    assert str(plan.control.listen) == "127.0.0.1:4001"
