"""The parts of one Target, each from what its target and its provider declare.

Every function says what is wrong through `say(path, message)` and then goes on as best it can,
so that one run finds every mistake.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from tidegate.core.address import bracketed, parse_url
from tidegate.core.batches import Batches
from tidegate.core.declared_batches import DeclaredBatch
from tidegate.core.declared_providers import NO_CREDENTIAL, DeclaredProvider
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.identity import CLOUDS
from tidegate.core.plan import AdapterForm, Queueing, Replica
from tidegate.core.price import Price
from tidegate.core.pricing import batch_price
from tidegate.core.resilience import Deadlines
from tidegate.core.secret import SecretRef
from tidegate.core.words import quoted

ADDRESS_FORM: Final = "http://HOST/v1"
Path = tuple[str, ...]
Say = Callable[[Path, str], None]


class Dialect(Struct, frozen=True):
    """What compiling needs to know of a provider plug. `signs`: it can do without a credential of
    the plan's own, with the machine's key. `endpoints`: what kinds of request it serves.
    `takes_batches`: its wire has batches; `batch_share` is what they are known to cost,
    where they are known to be taken. `adapters`: how it is told which adapter to use.
    `address_form`: what its address looks like, where it has no usual one; `model_form` what a
    model is called, where that has two parts. `cloud`: whose `identity` it commonly takes."""

    base_url: str | None
    hosted: bool
    signs: bool = False
    endpoints: frozenset[str] = frozenset({"chat", "completions", "embeddings"})
    takes_batches: bool = False
    batch_share: float | None = None
    adapters: AdapterForm | None = None
    address_form: str = ADDRESS_FORM
    model_form: str | None = None
    cloud: str | None = None


class Place(Struct, frozen=True):
    """A target as declared, with its provider, and where both stand in the plan."""

    path: Path
    target: DeclaredTarget
    provider: DeclaredProvider
    dialect: Dialect

    @property
    def provider_path(self) -> Path:
        return ("providers", self.target.provider)


def replicas(place: Place, say: Say) -> tuple[Replica, ...]:
    """The target's addresses: its own, or its provider's, or its dialect's."""
    declared = place.target.replicas
    if declared is None:
        url = place.provider.base_url or place.dialect.base_url
        if url is None:
            name = place.target.provider
            say(
                place.provider_path,
                f"{quoted(name)} has no address; write `base_url: {place.dialect.address_form}`",
            )
            return ()
        return (replica("", url),)
    path = (*place.path, "replicas")
    if not declared:
        say(path, "the list is empty; write an address, or remove `replicas`")
    if isinstance(declared, dict):
        found = [((*path, name), replica(name, url)) for name, url in declared.items()]
    else:
        found = [((*path, str(i)), replica("", url)) for i, url in enumerate(declared)]
    return _distinct(found, say)


def replica(name: str, url: str) -> Replica:
    """The Replica at `url`, called by its host and port where it has no name."""
    scheme, host, port, path = parse_url(url)
    return Replica(name or f"{bracketed(host)}:{port}", scheme, host, port, path)


def base_url(found: Replica) -> str:
    return f"{found.scheme}://{bracketed(found.host)}:{found.port}{found.path}"


def _distinct(found: list[tuple[Path, Replica]], say: Say) -> tuple[Replica, ...]:
    names = [r.name for _, r in found]
    addresses: dict[str, Path] = {}
    out = []
    for path, one in found:
        first = addresses.setdefault(base_url(one), path)
        if first is not path:
            say(path, f"this is the address of replica {quoted(first[-1])} again")
        shared = names.count(one.name) > 1  # one server, several prefixes
        out.append(replace(one, name=one.name + one.path) if shared else one)
    return tuple(out)


def deadlines(place: Place, say: Say) -> Deadlines:
    """Target before provider before default; each no longer than the whole."""
    values: dict[str, Any] = asdict(Deadlines())
    for declared in (place.provider.deadlines, place.target.deadlines):
        values |= {k: v for k, v in asdict(declared).items() if v is not None}
    total_s = values["total_s"]
    for name, value in values.items():
        if value > total_s:
            where = _written(place, name) or _written(place, "total_s")
            say(
                (*(where or place.path),),
                f"{name} ({value:g}) is longer than total_s ({total_s:g})",
            )
    return Deadlines(**values)


def _written(place: Place, name: str) -> Path | None:
    """Where the deadline `name` that holds for this target is written, if it is."""
    for path, declared in (
        (place.path, place.target.deadlines),
        (place.provider_path, place.provider.deadlines),
    ):
        if getattr(declared, name) is not None:
            return (*path, "deadlines", name)
    return None


def queueing(place: Place, replicas: int, say: Say) -> Queueing:
    """How requests wait. A fixed number is not learnt, and none is beyond the connections."""
    declared, path = place.target.queueing, (*place.path, "queueing")
    fixed, least, most = declared.max_in_flight, declared.adaptive_min, declared.adaptive_max
    connections = place.target.max_connections * replicas
    for name, value in (("max_in_flight", fixed), ("adaptive_min", least), ("adaptive_max", most)):
        if value is None:
            continue
        if value > connections:
            say(
                (*path, name),
                f"{name} ({value}) is more than the connections there may be "
                f"({connections}): see `max_connections`",
            )
        if fixed is not None and name != "max_in_flight":
            say((*path, name), "`max_in_flight` fixes the number: remove one of them")
    if least is not None and most is not None and least > most:
        say((*path, "adaptive_min"), f"adaptive_min ({least}) is more than adaptive_max ({most})")
    return Queueing(
        max_in_flight=fixed,
        adaptive_min=least or Queueing().adaptive_min,
        adaptive_max=most,
        max_waiting=declared.max_waiting,
        max_wait_s=declared.max_wait_s,
        tenant_weights=tuple(sorted(declared.tenant_weights.items())),
    )


def batches(place: Place, price: Price | None, say: Say) -> Batches | None:
    """Files of requests, where its provider is known to take them or the plan says so."""
    declared, dialect = place.target.batch, place.dialect
    if declared == "none" or (declared is None and dialect.batch_share is None):
        return None
    if declared is None:
        declared = DeclaredBatch()
    if not dialect.takes_batches:
        what = "its provider's kind takes no batches; remove `batch`"
        say((*place.path, "batch"), what)
        return None
    share = declared.price_share or dialect.batch_share or 1.0
    found = None if price is None else batch_price(price, share)
    return Batches(found, declared.max_lines)


def credentials(place: Place, say: Say) -> tuple[SecretRef | None, tuple[SecretRef, ...]]:
    """The target's references, or its provider's; a hosted dialect without one is a mistake,
    unless it signs, or its provider has an identity."""
    several = place.target.api_keys
    if several and place.provider.identity is not None:
        say((*place.path, "api_keys"), "the provider has an `identity`; remove one of them")
    if several:
        path = (*place.path, "api_keys")
        if place.target.api_key is not None:
            say(path, "`api_key` is written too; remove one of them")
        for index, one in enumerate(several):
            if one == NO_CREDENTIAL or one in several[:index]:
                what = "none" if one == NO_CREDENTIAL else str(one)
                say((*path, str(index)), f"{what} adds no credential to these")
        return several[0], several[1:]
    found = place.target.api_key or place.provider.api_key
    if place.provider.identity is not None:
        _identified(place, found, say)
        return None, ()
    if found is None and place.dialect.hosted and not place.dialect.signs:
        variable = place.target.provider.upper().replace("-", "_").replace(".", "_")
        cloud = place.dialect.cloud
        identity = "" if cloud is None else f", or `identity: {{{cloud}: {{}}}}`"
        say(
            place.provider_path,
            f"`api_key` is missing; write `api_key: ${{{variable}_API_KEY}}`{identity}, or "
            "`api_key: none`",
        )
    return (None if found == NO_CREDENTIAL else found), ()


def model(place: Place, say: Say) -> None:
    """Says where the model is not called as its dialect has it: `PROVIDER:MODEL`."""
    form, parts = place.dialect.model_form, place.target.model.partition(":")
    if form is not None and not (parts[0] and parts[2]):
        path = (*place.path, "model") if place.path[:1] == ("targets",) else place.path
        say(path, f"{quoted(place.target.model)} is no model here: write it as {form}")


def _identified(place: Place, key: SecretRef | None, say: Say) -> None:
    """What is wrong with the provider's identity."""
    identity, path = place.provider.identity, (*place.provider_path, "identity")
    assert identity is not None  # noqa: S101 - see `credentials`
    clouds = identity.clouds
    if key is not None:
        say(path, "`api_key` is written too; remove one of them")
    if len(clouds) != 1:
        known = ", ".join(f"`{one}: {{}}`" for one in CLOUDS)
        say(path, f"an identity is of one cloud: write one of {known} below it")
    elif ("aws" in clouds) != place.dialect.signs:
        what = "signs" if place.dialect.signs else "does not sign"
        say(path, f"a provider of this kind {what} its requests, so that this is no identity there")
