"""One request's CPU is measured over answers that were right."""

from pathlib import Path

import pytest

from bench import request


@pytest.mark.parametrize("kind", request.KINDS)
def test_a_run_in_its_own_process_says_what_a_request_costs(kind: str) -> None:
    here = Path(request.__file__).parent.parent
    assert 1 < request.in_process_us(here, kind) < 100_000


def test_it_tells_what_another_checkout_costs_and_counts_what_is_over_the_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Path(request.__file__).parent.parent
    costs = {"whole": 58.5, "stream": 57.5, "long": 57.5}
    monkeypatch.setattr(
        request, "in_process_us", lambda root, kind: costs[kind] if root == here else 50.0
    )
    assert request.run(Path("/elsewhere")) == 1
    assert "whole: 58.5 us of CPU a request, /elsewhere 50.0: +8.5 us" in capsys.readouterr().out
