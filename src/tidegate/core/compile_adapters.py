"""The targets that are LoRA adapters of another target's model."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from tidegate.core.assemble import Path, Say
from tidegate.core.declared_targets import DeclaredAdapter
from tidegate.core.plan import Adapter, AdapterForm, Target
from tidegate.core.pricing import declared_price
from tidegate.core.words import quoted

MOST_NUMBER: Final = 1_000


def adapter_target(
    base: Target, declared: DeclaredAdapter, form: AdapterForm | None, path: Path, say: Say
) -> Target | None:
    """The target that `path` ends with; None, and one complaint, where its engine serves no such
    thing."""
    if form is None:
        say(path, f"{quoted(base.dialect)} serves no adapters; name it as a target's `model`")
        return None
    if form == "number" and not _is_number(declared.name):
        say(path, f"{base.dialect} knows adapters by numbers; write 0 for its first `--lora`")
        return None
    if declared.scale is not None and form != "number":
        say((*path, "scale"), f"{quoted(base.dialect)} is not told how much of an adapter to use")
        return None
    price = base.price
    if declared.price is not None:
        try:
            price = declared_price(declared.price)
        except ValueError as error:
            say((*path, "price"), str(error))
    scale = 1.0 if declared.scale is None else declared.scale
    return replace(
        base,
        name=path[-1],
        model=_model(base.model, declared.name, form),
        price=price,
        adapter=Adapter(declared.name, base.name, scale),
        batches=None,  # a line names a model at that model's price
    )


def without_adapters(
    base: Target, declared: Mapping[str, DeclaredAdapter], form: AdapterForm | None
) -> Target:
    """The model's own target: an engine that is told of adapters by numbers uses all that it has
    loaded unless it is told of one, and of those that are not named none."""
    if form != "number" or not declared:
        return base
    name = next(iter(declared.values())).name
    return replace(base, adapter=Adapter(name, base.name, 0.0))


def _model(base: str, name: str, form: AdapterForm) -> str:
    """What is sent as the model."""
    if form == "number":
        return base
    return name if form == "model" else f"{base}:{name}"


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and int(name) <= MOST_NUMBER
