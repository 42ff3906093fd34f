"""The declared plan: what `tidegate.yaml` says after interpolation, units normalised.

These classes are the plan file's grammar: the reader walks YAML by them, the JSON Schema and
the reference of all keys are printed from them. Each section of the file has a module of its own,
`declared_SECTION.py`. `Meta.description` is a key's documentation, `extra["read"]` names the
reading of a scalar (`declared_scalars.py`), `extra["shorthand"]` the field that a plain text
stands for.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_budgets import DeclaredBudget
from tidegate.core.declared_callers import DeclaredIssuer
from tidegate.core.declared_control import DeclaredControl
from tidegate.core.declared_gateway import DeclaredGateway
from tidegate.core.declared_keys import DeclaredKeys
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_scalars import Name, RouteName
from tidegate.core.declared_storage import DeclaredStorage
from tidegate.core.declared_targets import DeclaredTarget


class Declared(Struct, frozen=True, omit_defaults=True):
    """A Tidegate plan file."""

    providers: Annotated[
        dict[Name, DeclaredProvider], Meta(description="Accounts at providers, engines of yours.")
    ] = {}
    targets: Annotated[
        dict[Name, DeclaredTarget], Meta(description="Models at providers or engine pools.")
    ] = {}
    routes: Annotated[
        dict[RouteName, Annotated[DeclaredRoute, Meta(extra={"shorthand": "target"})]],
        Meta(description="What applications call, by the name they send as `model`."),
    ] = {}
    prompts: Annotated[
        DeclaredPrompts | None,
        Meta(
            extra={"shorthand": "repository"},
            description="Where the prompts of routes are read from. Default: nowhere.",
        ),
    ] = None
    limits: Annotated[
        dict[Name, DeclaredLimit],
        Meta(description="What requests are held to; of several that apply the tightest speaks."),
    ] = {}
    budgets: Annotated[dict[Name, DeclaredBudget], Meta(description="What may be spent.")] = {}
    unpriced: Annotated[
        Literal["refuse", "allow"],
        Meta(
            description="Whether a hosted model whose price nobody knows is refused, or allowed "
            "and its cost stored as unknown."
        ),
    ] = "refuse"
    keys: Annotated[DeclaredKeys, Meta(description="Defaults of new keys.")] = DeclaredKeys()
    callers: Annotated[
        dict[Name, DeclaredIssuer],
        Meta(
            description="Who is let in by a token that somebody else has signed (a JWT), by issuer."
        ),
    ] = {}
    storage: Annotated[DeclaredStorage, Meta(description="Ledger, journals and keys.")] = (
        DeclaredStorage()
    )
    gateway: Annotated[
        DeclaredGateway, Meta(description="The processes that serve applications.")
    ] = DeclaredGateway()
    control: Annotated[
        DeclaredControl, Meta(description="The control API, for operators only.")
    ] = DeclaredControl()
