from tidegate.core.declared_route_prompt import DeclaredRoutePrompt


def test_a_prompt_that_is_only_named_is_the_stable_one_and_nobody_chooses():
    prompt = DeclaredRoutePrompt("support")
    assert (prompt.tag, prompt.version, prompt.allow_tags) == ("stable", None, ())
