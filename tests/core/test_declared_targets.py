from tidegate.core.declared_targets import DeclaredQueueing, DeclaredTarget
from tidegate.core.plan import Queueing, Target


def test_a_target_s_defaults_are_the_plan_s():
    declared, plain = DeclaredTarget("p", "m"), Target("t", "p", "openai", "m", ())
    assert declared.max_connections == plain.max_connections
    assert declared.context_tokens == plain.context_tokens
    assert declared.tokenizer == plain.tokenizer


def test_queueing_is_declared_with_the_plan_s_defaults():
    declared, plain = DeclaredQueueing(), Queueing()
    assert declared.max_in_flight is plain.max_in_flight is None
    assert (declared.max_waiting, declared.max_wait_s) == (plain.max_waiting, plain.max_wait_s)
