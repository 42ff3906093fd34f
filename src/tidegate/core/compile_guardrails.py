"""`guardrails` of the plan file, and of its routes: from what is declared to what requests obey."""

from collections.abc import Mapping
from typing import Final

from tidegate.core import plugs
from tidegate.core.assemble import Path, Say
from tidegate.core.declared_guardrails import DeclaredGuardrail, DeclaredRouteGuardrails
from tidegate.core.facts import GuardrailKinds
from tidegate.core.guardrail import Guardrail, Kind, RouteGuardrails, SentenceBuffer
from tidegate.core.secret import SecretRef
from tidegate.core.words import nearest, quoted

# A route pays for each of its guardrails.
MOST_OF_ROUTE: Final = 16
# The fields that not every kind reads, by the key that sets them.
_KEYS: Final[Mapping[str, str]] = {
    **{name: name for name in ("types", "locales", "patterns", "words", "threshold")},
    **{name: name for name in ("url", "credential", "ca_file", "streams")},
}
_NOTHING: Final[tuple[object, ...]] = (None, (), {}, SecretRef())


def compile_guardrails(
    declared: Mapping[str, DeclaredGuardrail], kinds: GuardrailKinds, say: Say
) -> dict[str, Guardrail]:
    """Those that can be obeyed, by name; what is wrong with the others is said."""
    found = {}
    for name, one in declared.items():
        made = _compiled(name, one, kinds, say)
        if made is not None:
            found[name] = made
    return found


def of_route(
    declared: DeclaredRouteGuardrails | None,
    known: Mapping[str, Guardrail],
    named: Mapping[str, DeclaredGuardrail],
    path: Path,
    say: Say,
) -> RouteGuardrails | None:
    """None where nothing looks through its texts."""
    if declared is None:
        return None
    sides = []
    for side, names in (("input", declared.input), ("output", declared.output)):
        at = (*path, side)
        if len(names) > MOST_OF_ROUTE:
            say(at, f"a side has {MOST_OF_ROUTE} guardrails at most; these are {len(names)}")
        for index, name in enumerate(names):
            if name not in named:
                what = f"there is no guardrail {quoted(name)}{nearest(name, named)}"
                say((*at, str(index)), f"{what}; declare it below `guardrails`")
            elif name in names[:index]:
                say((*at, str(index)), f"{quoted(name)} is here twice; a text is looked at once")
            elif name in known and side not in known[name].sides:
                say((*at, str(index)), f"{quoted(name)} cannot look at an {side}")
        sides.append(tuple(known[name] for name in dict.fromkeys(names) if name in known))
    return RouteGuardrails(*sides) if any(sides) else None


def check_buffer(
    found: RouteGuardrails | None, buffer: SentenceBuffer | None, path: Path, say: Say
) -> None:
    """What asks by the sentence needs a route whose streams go out by the sentence."""
    for one in () if found is None or buffer is not None else found.output:
        if one.by_sentence:
            what = f"{quoted(one.name)} is asked by the sentence, and this route's streams go out"
            say((*path, "output"), f"{what} as they come: write `buffer: sentence` beside it")


def _compiled(
    name: str, declared: DeclaredGuardrail, kinds: GuardrailKinds, say: Say
) -> Guardrail | None:
    path: Path = ("guardrails", name)
    known, wanted = kinds.names(), declared.kind or name
    if wanted not in known:
        what = f"there is no kind of guardrail {quoted(wanted)}{nearest(wanted, known)}"
        say((*path, "kind"), f"{what}; write one of: {', '.join(known)}")
        return None
    try:
        kind = kinds.get(wanted)
    except plugs.PlugError as error:
        say((*path, "kind"), " ".join(str(error).split()))
        return None
    made = Guardrail(
        name=name,
        kind=wanted,
        action=declared.action or kind.actions[0],
        actions=tuple(sorted(declared.actions.items())),
        on_error=declared.on_error,
        restores=declared.restore,
        types=declared.types,
        locales=declared.locales,
        patterns=tuple(declared.patterns.items()),
        words=declared.words,
        threshold=declared.threshold,
        url=declared.url,
        credential=declared.credential,
        ca_file=declared.ca_file,
        deadline_s=declared.deadline_s,
        sides=kind.sides,
        by_sentence=declared.streams == "sentence",
    )
    return made if _fits(path, declared, made, kind, say) else None


def _fits(path: Path, declared: DeclaredGuardrail, made: Guardrail, kind: Kind, say: Say) -> bool:
    wrong: list[tuple[Path, str]] = []
    written = {name for name in _KEYS if getattr(declared, name) not in _NOTHING}
    what = f"a guardrail of kind {made.kind}"
    wrong += [((*path, key), f"{what} does not read this") for key in sorted(written - kind.reads)]
    missing = [key for key in _KEYS if key in kind.needs - written]
    wrong += [(path, f"{what} needs {quoted(key)}") for key in missing]
    types = kind.types or tuple(name for name, _ in made.patterns)
    if kind.types:
        for index, one in enumerate(made.types):
            if one not in kind.types:
                why = f"it knows no type {quoted(one)}{nearest(one, kind.types)}"
                wrong.append(((*path, "types", str(index)), why))
    for one, action in (("", made.action), *made.actions):
        at = (*path, "action") if not one else (*path, "actions", one)
        if one and types and one not in types:
            wrong.append((at, f"it knows no type {quoted(one)}{nearest(one, types)}"))
        elif one and made.types and one not in made.types:
            wrong.append((at, f"it does not look for {quoted(one)}: name that in `types` too"))
        if action not in kind.actions:
            wrong.append((at, f"{what} can only {' or '.join(kind.actions)}"))
    for key in ("action", "restore") if kind.remote else ():
        if getattr(declared, key):
            wrong.append(((*path, key), "what is done is for the address to say: remove this"))
    redacts = "redact" in (made.action, *(action for _, action in made.actions))
    if made.restores and not redacts and not kind.remote:
        wrong.append(((*path, "restore"), "nothing is redacted that could be given back"))
    if not wrong and (complaint := kind.complaint(made)) is not None:
        wrong.append((path, complaint))
    for at, message in wrong:
        say(at, message)
    return not wrong
