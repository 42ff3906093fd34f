"""A gate's findings for people and for machines: Markdown, JUnit and JSON. Pure."""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

import msgspec
from msgspec import Struct

from tidegate.evals.finding import Finding, GateVerdict
from tidegate.evals.gate import Gated
from tidegate.evals.outcome import Outcome, Paired, passed

_SAID: Final[dict[GateVerdict, str]] = {
    "pass": "passed",
    "warn": "passed, with warnings",
    "block": "blocked",
    "inconclusive": "inconclusive: the cases cannot tell, so this is no pass",
}
_SHOWN_CASES: Final = 20
_SHOWN_CHARS: Final = 120


class Compared(Struct, frozen=True):
    """What was compared with what, in words."""

    suite: str
    baseline: str
    candidate: str


def as_json(compared: Compared, gated: Gated) -> bytes:
    """The findings as they are, for a machine."""
    body = {"compared": compared, "verdict": gated.verdict, "cases": gated.cases}
    known = {**body, "flips": gated.flips, "findings": gated.findings}
    return msgspec.json.format(msgspec.json.encode(known), indent=2) + b"\n"


def as_markdown(compared: Compared, gated: Gated, pairs: Sequence[Paired]) -> str:
    """A page for a pull request: the verdict, each check, and the first cases that were lost."""
    lines = [
        f"### {_plain(compared.suite)}: {_SAID[gated.verdict]}",
        "",
        f"`{_plain(compared.candidate)}` beside `{_plain(compared.baseline)}`, "
        f"{gated.cases} cases.",
        "",
        "| check | verdict | found | could have seen |",
        "|---|---|---|---|",
        *(_row(it) for it in gated.findings),
    ]
    if gated.flips is not None:
        lines += ["", f"Asked again, a case has another verdict in {gated.flips:.1%}."]
    if gated.is_alone:
        lost = [it for it in pairs if it.is_known_alone and not passed(it.candidate)]
    else:
        lost = [pair for pair in pairs if pair.is_known and _is_lost(pair)]
    if lost:
        lines += ["", f"{'Failed' if gated.is_alone else 'Lost'} ({len(lost)}):", ""]
        lines += [
            f"- `{_plain(pair.case.id)}`: {_plain(_why(pair))}" for pair in lost[:_SHOWN_CASES]
        ]
        if len(lost) > _SHOWN_CASES:
            lines.append(f"- and {len(lost) - _SHOWN_CASES} more")
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    why = finding.why
    if finding.needs is not None:
        why += f"; needs {finding.needs} cases"
    return f"| {finding.check} | {finding.verdict} | {_plain(why)} | {smallest_of(finding)} |"


def smallest_of(finding: Finding) -> str:
    """The smallest harm that it could have seen: a ratio where its figures are ratios, points where
    they are shares; empty where it is none that chance hides."""
    if finding.smallest is None:
        return ""
    if "ratio" in finding.figures:
        return f"x{finding.smallest:.2f}"
    return f"{finding.smallest * 100:.1f} points"


def _is_lost(pair: Paired) -> bool:
    return passed(pair.baseline) and not passed(pair.candidate)


def _why(pair: Paired) -> str:
    """What the first failed grade of the candidate says."""
    for outcome in pair.candidate:
        if outcome.verdict == "fail":
            return _reason(outcome)
    return "failed"


def _reason(outcome: Outcome) -> str:
    said = [f"{name}: {it.why}" for name, it in outcome.grades if it.verdict == "fail" and it.why]
    return "; ".join(said) or "failed"


def _plain(text: str) -> str:
    """On one line, with nothing in it that a table, a link or HTML is made of."""
    shown = " ".join(text.split())
    if len(shown) > _SHOWN_CHARS:
        shown = shown[:_SHOWN_CHARS] + "..."
    for sign in "\\`|<>[]":
        shown = shown.replace(sign, "\\" + sign if sign in "\\|" else " ")
    return shown


def as_junit(compared: Compared, gated: Gated, pairs: Sequence[Paired]) -> bytes:
    """Each check a test case, and each case of the suite one; what is inconclusive is an error."""
    root = ElementTree.Element("testsuites", name="tidegate gate")
    checks = _suite(root, f"{compared.suite}: gate")
    for finding in gated.findings:
        _test(checks, finding.check, finding.verdict, finding.why)
    cases = _suite(root, f"{compared.suite}: {compared.candidate}")
    for pair in pairs:
        if not (pair.is_known_alone if gated.is_alone else pair.is_known):
            _test(cases, pair.case.id, "inconclusive", "it has no verdict")
        elif passed(pair.candidate):
            _test(cases, pair.case.id, "pass", "")
        else:
            _test(cases, pair.case.id, "block", _why(pair))
    for suite in (checks, cases):
        _count(suite)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, "testsuite", name=_xml(name))


def _test(suite: ElementTree.Element, name: str, verdict: GateVerdict, why: str) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=suite.attrib["name"], name=_xml(name)
    )
    if verdict == "block":
        ElementTree.SubElement(case, "failure", message=_xml(why))
    elif verdict == "inconclusive":
        ElementTree.SubElement(case, "error", message=_xml(why))


def _count(suite: ElementTree.Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def _xml(text: str) -> str:
    """Without what XML has no place for."""
    return "".join(sign if _is_xml(ord(sign)) else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _is_xml(code: int) -> bool:
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or code >= 0x10000
    )
