"""`capture` in a plan file becomes what gateways obey."""

import pytest

from tidegate.config.load import Compiled, compile_file
from tidegate.core.capture import Capture

PLAN = """\
providers: {{mine: {{kind: vllm, base_url: "http://127.0.0.1:9/v1"}}}}
routes:
  chat: {{target: mine/x, capture: {capture}}}
  other: mine/x
"""


def compiled(capture: str) -> Compiled:
    return compile_file(PLAN.format(capture=capture).encode(), {}, 1, 1000.0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5%", Capture(0.05)),
        ("{share: 5%, canary_share: 100%}", Capture(0.05, canary_share=1.0)),
        ("{share: 0.5, keep: 2d, max_bytes: 8KiB}", Capture(0.5, 172_800.0, 8192)),
        (
            "{share: 100%, redact: [urls, dates], words: [Falcon], also: [eval, shadow]}",
            Capture(1.0, redact=("urls", "dates"), words=("Falcon",), also=("eval", "shadow")),
        ),
    ],
)
def test_a_route_says_what_it_keeps_and_others_keep_nothing(written: str, meant: Capture) -> None:
    plan = compiled(written).plan
    assert plan is not None
    assert plan.routes["chat"].capture == meant
    assert plan.routes["other"].capture is None
    without = compile_file(PLAN.replace(", capture: {capture}", "").format().encode(), {}, 1, 1.0)
    assert without.plan is not None
    assert without.plan.routes["chat"].release == plan.routes["chat"].release


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0", "share"),
        ("{keep: 7d}", "share"),
        ("{share: 5%, canary_share: 0}", "canary_share"),
        ("{share: 5%, redact: [names]}", "redact.0"),
        ("{share: 5%, keep: 10s}", "keep"),
        ("{share: 5%, max_bytes: 1MiB}", "max_bytes"),
        ("{share: 5%, also: [probe]}", "also.0"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place(written: str, said: str) -> None:
    problems = [str(problem) for problem in compiled(written).problems]
    assert problems and all("routes.chat.capture" in it for it in problems)
    assert said in problems[0]
