"""The two secrets: made once, never weak beyond loopback."""

from pathlib import Path

import pytest

from tidegate.control.credentials import create_pepper, create_state, weaknesses
from tidegate.core.layout import Layout
from tidegate.stores.peppers import read_peppers


def test_the_first_start_makes_them_readable_by_their_owner_only(layout: Layout) -> None:
    assert layout.state.stat().st_mode & 0o777 == 0o700
    for file in (layout.pepper, layout.operator_token):
        assert file.stat().st_mode & 0o777 == 0o600
    assert len(layout.pepper.read_bytes()) == 32
    assert len(layout.operator_token.read_text().strip()) == 43
    assert weaknesses(layout) == []


def test_the_second_start_leaves_them_as_they_are(layout: Layout) -> None:
    before = layout.pepper.read_bytes(), layout.operator_token.read_bytes()
    create_state(layout)
    assert (layout.pepper.read_bytes(), layout.operator_token.read_bytes()) == before


def test_no_two_states_share_a_secret(tmp_path: Path, layout: Layout) -> None:
    other = Layout(tmp_path / "other")
    create_state(other)
    assert other.pepper.read_bytes() != layout.pepper.read_bytes()
    assert other.operator_token.read_bytes() != layout.operator_token.read_bytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"sk-1234\n", "a placeholder"),
        (b"changeme", "a placeholder"),
        (b"ChangeMe\n", "a placeholder"),
        (b"short", "fewer than"),
    ],
)
@pytest.mark.parametrize("name", ["pepper", "operator_token"])
def test_what_anyone_could_guess_is_named(
    layout: Layout, name: str, content: bytes, says: str
) -> None:
    file: Path = getattr(layout, name)
    file.write_bytes(content)
    (sentence,) = weaknesses(layout)
    assert str(file) in sentence
    assert says in sentence


def test_replacing_the_pepper_is_said_to_end_every_key(layout: Layout) -> None:
    for file in (layout.pepper, layout.operator_token):
        file.write_bytes(b"short")
    of_pepper, of_token = weaknesses(layout)
    assert "every key made under it then stops working" in of_pepper
    assert "key" not in of_token.removeprefix(str(layout.operator_token))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_what_others_can_read_is_named(layout: Layout, mode: int) -> None:
    layout.pepper.chmod(mode)
    layout.operator_token.chmod(mode)
    assert ["chmod 600" in sentence for sentence in weaknesses(layout)] == [True, True]


def test_a_kill_while_a_secret_is_made_leaves_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "state")

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        create_state(layout)
    assert not layout.pepper.exists()
    monkeypatch.undo()
    create_state(layout)
    assert len(layout.pepper.read_bytes()) == 32


def test_a_new_pepper_lies_beside_the_old_one(layout: Layout) -> None:
    (first,) = read_peppers(layout.state).values()
    assert create_pepper(layout) == 2
    assert create_pepper(layout) == 3
    peppers = read_peppers(layout.state)
    assert peppers[1] == first
    assert len(set(peppers.values())) == 3
    assert (layout.state / "pepper.3").stat().st_mode & 0o777 == 0o600


def test_an_old_pepper_that_was_taken_away_is_not_made_again(layout: Layout) -> None:
    create_pepper(layout)
    layout.pepper.unlink()
    create_state(layout)
    assert list(read_peppers(layout.state)) == [2]


def test_a_weak_pepper_is_named_whichever_it_is(layout: Layout) -> None:
    create_pepper(layout)
    second = layout.state / "pepper.2"
    second.write_bytes(b"short")
    second.chmod(0o644)
    readable, short = weaknesses(layout)
    assert f"chmod 600 {second}" in readable
    assert str(second) in short
    assert "new one made" not in short
