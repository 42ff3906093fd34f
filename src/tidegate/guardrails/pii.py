"""Structured personal data: what has a form or a check digit. Names and streets have neither."""

from tidegate.core.guardrail import ACTIONS, SIDES, Action, Detector, Guardrail
from tidegate.core.words import nearest, quoted
from tidegate.guardrails._forms import FormsDetector
from tidegate.text.forms import Form
from tidegate.text.personal_forms import FORMS


class _Pii:
    reads = frozenset({"types", "locales"})
    needs: frozenset[str] = frozenset()
    actions: tuple[Action, ...] = ("redact", *(it for it in ACTIONS if it != "redact"))
    types = tuple(dict.fromkeys(form.kind for form in FORMS))
    sides = SIDES
    remote = False

    def complaint(self, guardrail: Guardrail) -> str | None:
        known = sorted({form.locale for form in FORMS if form.locale is not None})
        for one in guardrail.locales:
            if one not in known:
                near = nearest(one, known)
                return f"it knows no numbers of {quoted(one)}{near}; there are {', '.join(known)}"
        looked_for = {form.kind for form in FORMS if _wanted(form, guardrail)}
        for one in (*guardrail.types, *(name for name, _ in guardrail.actions)):
            if one not in looked_for:
                return f"its `locales` leave out {quoted(one)}: name that country too, or not this"
        return None

    def detector(self, guardrail: Guardrail) -> Detector:
        return FormsDetector([form for form in FORMS if _wanted(form, guardrail)])


def _wanted(form: Form, guardrail: Guardrail) -> bool:
    return (not guardrail.types or form.kind in guardrail.types) and (
        form.locale is None or not guardrail.locales or form.locale in guardrail.locales
    )


plug = _Pii()
