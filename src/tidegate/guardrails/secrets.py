"""Keys, tokens, private keys and passwords."""

from tidegate.core.guardrail import ACTIONS, SIDES, Action, Detector, Guardrail
from tidegate.guardrails._forms import FormsDetector
from tidegate.text.secret_forms import FORMS


class _Secrets:
    reads = frozenset({"types"})
    needs: frozenset[str] = frozenset()
    actions: tuple[Action, ...] = ACTIONS
    types = tuple(dict.fromkeys(form.kind for form in FORMS))
    sides = SIDES
    remote = False

    def complaint(self, guardrail: Guardrail) -> str | None:
        del guardrail
        return None

    def detector(self, guardrail: Guardrail) -> Detector:
        wanted = guardrail.types or self.types
        return FormsDetector([form for form in FORMS if form.kind in wanted])


plug = _Secrets()
