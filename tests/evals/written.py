"""Files of suites as tests write them."""

from pathlib import Path
from textwrap import dedent

from tidegate.evals.load import load_suites
from tidegate.evals.suite import Loaded, Suite


def loaded(folder: Path, text: str, name: str = "suite.yaml") -> Loaded:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return load_suites(path)


def suite(folder: Path, text: str, name: str = "suite.yaml") -> Suite:
    """The only suite of a file in which nothing is wrong."""
    found = loaded(folder, text, name)
    assert found.problems == (), [str(problem) for problem in found.problems]
    [only] = found.suites
    return only


def told(folder: Path, text: str, name: str = "suite.yaml") -> list[str]:
    """What is wrong, each as `LINE:COLUMN: field: message` without the file."""
    found = loaded(folder, text, name)
    assert found.problems
    return [str(problem).replace(f"{folder / name}:", "") for problem in found.problems]
