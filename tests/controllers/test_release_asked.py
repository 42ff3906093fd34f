from tidegate.controllers._release_asked import folded
from tidegate.controllers._release_words import Standing
from tidegate.core.rollout_state import Asked, What


def asked(seq: int, what: What, who: str = "ada", reason: str = "", gate: str = "") -> Asked:
    return Asked(seq, "chat/new", what, who, 100.0, reason, gate or None)


def test_the_last_word_of_pause_and_resume_counts() -> None:
    _, wishes = folded(Standing(), [asked(1, "pause"), asked(2, "resume")])
    assert wishes.resume and not wishes.pause
    _, wishes = folded(Standing(), [asked(1, "resume"), asked(2, "pause", reason="lunch")])
    assert wishes.pause == "ada asked for it: lunch"
    assert not wishes.resume


def test_a_rollback_is_not_taken_back_by_what_comes_after() -> None:
    _, wishes = folded(Standing(), [asked(1, "rollback"), asked(2, "resume")])
    assert wishes.rollback


def test_each_person_approves_once_and_only_what_waits() -> None:
    waiting = Standing(state="analysing")
    after, _ = folded(
        waiting, [asked(1, "approve"), asked(2, "approve"), asked(3, "approve", "bo")]
    )
    assert after.approved_by == ("ada", "bo")
    early, _ = folded(Standing(state="step"), [asked(1, "approve")])
    assert early.approved_by == ()


def test_a_gate_that_failed_after_it_had_passed_is_closed() -> None:
    passed, _ = folded(Standing(state="gated"), [asked(1, "gate_passed", gate="evals")])
    assert passed.gates == ("evals",)
    failed, _ = folded(passed, [asked(2, "gate_failed", gate="evals")])
    assert failed.gates == ()


def test_an_analysis_is_skipped_only_where_there_is_one() -> None:
    assert folded(Standing(state="step"), [asked(1, "skip_analysis")])[0].skipped
    assert not folded(Standing(state="soak"), [asked(1, "skip_analysis")])[0].skipped


def test_who_waives_its_certificates_does_so_to_its_end() -> None:
    waived, wishes = folded(Standing(state="gated"), [asked(1, "waive_certificate")])
    assert waived.waived and not wishes.skip
    assert folded(waived, [asked(2, "resume")])[0].waived
