"""How often languages are told: `python -m bench.languages [FOLDER]`.

Over the paragraphs of Vim's tutor in its translations, each a text of a language with English
commands in it, from where Vim is installed.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from tidegate.text.language import language_of
from tidegate.text.language_profiles import LANGUAGES

_LEAST_CHARS = 60
_LEAST_LETTERS = 0.7
_SAME = {"nb": "no"}


def paragraphs(text: str) -> list[str]:
    """Those that are mostly words."""
    lines = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return [
        line
        for line in lines
        if len(line) >= _LEAST_CHARS
        and sum(map(str.isalpha, line)) > _LEAST_LETTERS * len(line.replace(" ", ""))
    ]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/vim/vim90/tutor")
    known: Counter[str] = Counter()
    strange: Counter[str] = Counter()
    for path in sorted(folder.glob("tutor.*.utf-8")):
        language = path.name.split(".")[1][:2]
        language = _SAME.get(language, language)
        for line in paragraphs(path.read_text()):
            told = language_of(line)
            if language not in LANGUAGES:
                strange["unknown" if told is None else "taken for another"] += 1
            elif told == language:
                known["right"] += 1
            else:
                known["unknown" if told is None else "English" if told == "en" else "another"] += 1
    print("languages that can be told:", dict(known), "of", known.total())
    print("languages that cannot:", dict(strange), "of", strange.total())


if __name__ == "__main__":
    main()
