from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import Target


def test_a_target_s_defaults_are_the_plan_s():
    declared, plain = DeclaredTarget("p", "m"), Target("t", "p", "openai", "m", ())
    assert declared.max_connections == plain.max_connections
    assert declared.context_tokens == plain.context_tokens
    assert declared.tokenizer == plain.tokenizer
