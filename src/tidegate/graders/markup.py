"""The answer is XML or HTML, or holds some. Nothing that a document refers to is fetched, and one
that declares a document type of its own is not read."""

import re
from collections.abc import Callable
from typing import Any, Final, Literal
from xml.parsers import expat

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._plain import Plain, passed

MAX_DEPTH = 200
# So many beginnings of an element are tried in a text that is no document as a whole.
MAX_STARTS = 50
_START: Final = re.compile(r"<[A-Za-z_]")
_TAG: Final = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9-]{0,40})((?:[^<>\"']|\"[^\"<>]*+\"|'[^'<>]*+')*+)>"
)
_DOCTYPE: Final = re.compile(r"<!DOCTYPE[^<>]{0,200}>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:[a-zA-Z]{2,10}|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_ATTRIBUTE: Final = re.compile(r"\s[a-zA-Z][\w:-]{0,40}\s?=\s?[\"']")
_VOID_NAMES: Final = "area base br col embed hr img input link meta source track wbr"
# Elements that the beginning of another one, or the end of what they are in, ends.
_LOOSE_NAMES: Final = "p li dt dd tr td th thead tbody tfoot option colgroup"
_OTHER_NAMES: Final = (
    "html head body title style script div span a h1 h2 h3 h4 h5 h6 ul ol dl table caption form"
    " label select textarea button fieldset legend section article header footer nav main aside"
    " figure figcaption blockquote pre code em strong b i u s small sub sup mark del ins q cite"
    " abbr time address details summary dialog iframe video audio canvas svg path picture object"
    " noscript template optgroup datalist output progress meter map ruby rt rp kbd samp var dfn"
    " data bdi bdo hgroup search slot center font"
)
_VOID: Final = frozenset(_VOID_NAMES.split())
_LOOSE: Final = frozenset(_LOOSE_NAMES.split())
_HTML: Final = _VOID | _LOOSE | frozenset(_OTHER_NAMES.split())


class Options(Struct, frozen=True, omit_defaults=True):
    """`kind` of markup. `where`: the answer as a whole, or `anywhere` in it. `elements` that XML
    has to hold, as paths from its root such as `order.item`."""

    kind: Literal["xml", "html"] = "xml"
    where: Literal["whole", "anywhere"] = "whole"
    elements: tuple[str, ...] = ()


class _Done(Exception):
    """The root has ended."""


class _Xml:
    """Reads one document, or the first element of a text, and keeps the paths of what is in it."""

    def __init__(self, *, first: bool) -> None:
        self.paths: set[str] = set()
        self._open: list[str] = []
        self._first = first
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = _refuse

    def read(self, text: str) -> bool:
        try:
            self._parser.Parse(text.encode(), True)
        except _Done:
            return True
        except expat.ExpatError:
            return False
        return True

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._open.append(name)
        if len(self._open) > MAX_DEPTH:
            raise expat.ExpatError("nested too deep")
        self.paths.add(".".join(self._open))

    def _end(self, _name: str) -> None:
        self._open.pop()
        if self._first and not self._open:
            raise _Done


def _refuse(*_declared: Any) -> None:
    raise expat.ExpatError("a document type")


def _xml(text: str, options: Options) -> Grade:
    anywhere = options.where == "anywhere"
    missing = ""
    for tried, match in enumerate(_START.finditer(text) if anywhere else [None]):
        if tried >= MAX_STARTS:
            return Grade("error", why="the answer has too many tags to look for XML in it")
        reader = _Xml(first=anywhere)
        if not reader.read(text if match is None else text[match.start() :]):
            continue
        absent = [path for path in options.elements if path not in reader.paths]
        if not absent:
            return passed(ok=True, why="it is XML")
        missing = missing or absent[0]
    why = f"there is no element {quoted(missing)}" if missing else "it is not well-formed XML"
    return passed(ok=False, why=why)


def _html(text: str, options: Options) -> Grade:
    plain = _DOCTYPE.sub(" ", _without_comments(text))
    if options.where == "anywhere":
        count = _signs(text, plain)
        return passed(count >= 2, f"{count} signs of HTML, and 2 are asked")
    why = _unbalanced(plain)
    return passed(why is None, why or "it is HTML")


def _without_comments(text: str) -> str:
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    return " ".join([*parts, text[at:]])


def _signs(text: str, plain: str) -> int:
    """Kinds of signs, of which one alone may be anything, such as `a < b`."""
    tags = [match for match in _TAG.finditer(plain) if match[2].lower() in _HTML]
    found = (
        any(not tag[1] for tag in tags),
        any(tag[1] for tag in tags),
        any(tag[3].endswith("/") for tag in tags),
        any(_ATTRIBUTE.search(tag[3]) for tag in tags),
        _ENTITY.search(plain) is not None,
        plain != text,
    )
    return sum(found)


def _unbalanced(text: str) -> str | None:
    """What keeps a text from being HTML as a whole."""
    stack: list[str] = []
    at = count = 0
    for tag in _TAG.finditer(text):
        if not stack and text[at : tag.start()].strip():
            return "there is text outside of all elements"
        at, count, name = tag.end(), count + 1, tag[2].lower()
        if name not in _HTML and "-" not in name:
            return f"{quoted(name)} is no element of HTML"
        if not tag[1]:
            if name not in _VOID and not tag[3].endswith("/"):
                stack.append(name)
            if len(stack) > MAX_DEPTH * 10:
                return "it is nested too deep"
            continue
        while stack and stack[-1] != name and stack[-1] in _LOOSE:
            stack.pop()
        if not stack or stack.pop() != name:
            return f"an end of {quoted(name)} ends nothing"
    if text[at:].strip() or not count:
        return "there is text outside of all elements"
    left = [name for name in stack if name not in _LOOSE]
    return f"{quoted(left[-1])} has no end" if left else None


_READERS: Final[dict[str, Callable[[str, Options], Grade]]] = {"xml": _xml, "html": _html}


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    return _READERS[options.kind]((answered.output or "").strip(), options)


def _also_wrong(options: Options) -> str | None:
    return "`elements` are of XML" if options.elements and options.kind == "html" else None


plug = Plain(Options, _mark, _also_wrong)
