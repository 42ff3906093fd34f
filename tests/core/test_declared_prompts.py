from tidegate.core.declared_prompts import DeclaredPrompts


def test_prompts_of_which_only_the_place_is_said_are_guarded():
    prompts = DeclaredPrompts("here")
    assert (prompts.ref, prompts.folder, prompts.certificates) == ("HEAD", "prompts", "required")
