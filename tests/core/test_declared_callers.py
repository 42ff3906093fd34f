"""Defaults of `callers`: the short ones, and nobody let in unsaid."""

from tidegate.config.shape import shape_of
from tidegate.core.declared_callers import DeclaredGrant, DeclaredIssuer, DeclaredIssuerKeys


def test_an_issuer_says_for_whom_and_what_its_callers_may() -> None:
    required = {key.key for key in shape_of(DeclaredIssuer).keys if key.required}
    assert required == {"issuer", "audiences", "keys", "grants"}
    assert {key.key for key in shape_of(DeclaredGrant).keys if key.required} == {"team"}


def test_units_are_in_values_and_not_in_keys() -> None:
    assert {"leeway", "longest"} <= set(shape_of(DeclaredIssuer).by_key)
    assert {"every", "keep_for"} <= set(shape_of(DeclaredIssuerKeys).by_key)
