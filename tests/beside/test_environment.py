"""What a process beside is given of the environment."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.beside.environment import harmless

KEPT = {"PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": "src", "https_proxy": "http://p"}


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,20}(KEY|TOKEN|SECRET)", fullmatch=True), st.text()))
def test_nothing_that_could_be_a_secret(secrets: dict[str, str]) -> None:
    secrets = {name: it for name, it in secrets.items() if not name.startswith(("LC_", "PYTHON"))}
    found = harmless({**KEPT, **secrets, "HOME": "/root", "AWS_PROFILE": "x"})
    assert found == {**KEPT, "HOME": "/nonexistent"}
