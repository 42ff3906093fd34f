"""What a suite's digest says."""

from msgspec import Raw
from msgspec.structs import replace

from tidegate.core.grading import Case, Check
from tidegate.evals.suite import Suite

CHECK = Check("contains", Raw(b'{"any":["a"]}'))
ONE = Case("one", {"q": Raw(b'{"b":1,"a":2}')}, checks=(CHECK,))
TWO = Case("two", {"q": Raw(b"1")}, expected=Raw(b"null"), checks=(CHECK,))
SUITE = Suite("s", (ONE, TWO), owner="ada")


def test_the_digest_is_of_what_decides_a_verdict_and_of_nothing_else() -> None:
    digest = SUITE.digest()
    written_otherwise = replace(ONE, variables={"q": Raw(b'{ "a": 2, "b": 1 }')}, description="x")
    same = [
        replace(SUITE, name="t", owner=None, description="other"),
        replace(SUITE, cases=(TWO, ONE)),
        replace(SUITE, cases=(written_otherwise, TWO)),
    ]
    assert [it.digest() for it in same] == [digest] * 3


def test_whatever_changes_a_verdict_changes_the_digest() -> None:
    others = [
        replace(SUITE, repeats=4),
        replace(SUITE, cases=(ONE,)),
        *(
            replace(SUITE, cases=(replace(ONE, **change), TWO))
            for change in (
                {"must_pass": True},
                {"threshold": 0.5},
                {"context": ("c",)},
                {"expected": Raw(b"null")},
                {"strata": {"safety": "pii"}},
                {"turns": (("user", "hi"),)},
                {"checks": (replace(CHECK, negated=True),)},
                {"checks": (replace(CHECK, weight=2.0),)},
            )
        ),
    ]
    digests = {it.digest() for it in others}
    assert len(digests) == len(others)
    assert SUITE.digest() not in digests
