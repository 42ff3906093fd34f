import pytest

from tidegate.config.problem import Mark
from tidegate.config.tree import MAX_DEPTH, ListNode, MapNode, ScalarNode, read_tree


def tree(text):
    root, problems = read_tree(text.encode(), "f")
    assert problems == []
    return root


def said(text):
    root, problems = read_tree(text.encode(), "f")
    return root, [str(p) for p in problems]


@pytest.mark.parametrize(
    ("text", "kind", "plain"),
    [
        ("word", "text", True),
        ("'1'", "text", False),
        ("1", "number", True),
        ("1.5e+3", "number", True),
        ("1e3", "text", True),
        ("yes", "truth", True),
        ("~", "nothing", True),
        ("2026-01-01", "text", True),
        ("=", "text", True),
        ("|\n  many\n  lines", "text", False),
    ],
)
def test_a_scalar_keeps_its_text_and_what_yaml_takes_it_for(text, kind, plain):
    node = tree(text)
    assert isinstance(node, ScalarNode)
    assert (node.kind, node.plain) == (kind, plain)


def test_nodes_know_their_place():
    node = tree("a:\n  - b\n  - c: d\n")
    assert isinstance(node, MapNode)
    mark, items = node.pairs["a"]
    assert mark == Mark(1, 1) and isinstance(items, ListNode)
    assert [i.mark for i in items.items] == [Mark(2, 5), Mark(3, 5)]


def test_merge_keys_fill_what_is_not_written():
    node = tree("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n")
    assert isinstance(node, MapNode)
    z = node.pairs["z"][1]
    assert isinstance(z, MapNode)
    assert {k: v.text for k, (_, v) in z.pairs.items() if isinstance(v, ScalarNode)} == {
        "a": "0",
        "b": "1",
        "c": "2",
    }


def test_a_quoted_merge_key_is_a_key():
    node = tree("'<<': a")
    assert isinstance(node, MapNode) and "<<" in node.pairs


def test_nesting_is_allowed_to_its_bound_and_no_deeper():
    tree("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    _, problems = said("[" * (MAX_DEPTH + 1))
    assert problems == [f"f:1:{MAX_DEPTH + 1}: the plan is nested deeper than {MAX_DEPTH} levels"]


def test_aliases_count_as_what_they_stand_for():
    text = "a: &a [x, x, x, x]\n" + "".join(
        f"{n}: &{n} [*{p}, *{p}, *{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    _, problems = said(text)
    assert len(problems) == 1 and "aliases expanded" in problems[0]


def test_an_anchor_that_is_written_again_is_counted_by_its_last_meaning():
    big = "[" + "x, " * 1000 + "x]"
    text = f"a: &a {big}\nb: &a x\n" + "".join(f"c{i}: *a\n" for i in range(1000))
    assert said(text)[1] == []


def test_merging_counts_too():
    keys = ", ".join(f"k{i}: 1" for i in range(1000))
    text = f"a: &a {{{keys}}}\n" + "".join(f"b{i}: {{<<: *a}}\n" for i in range(60))
    assert "more than" in said(text)[1][0]


def test_a_key_written_twice_keeps_the_first():
    root, problems = said("a: 1\na: 2\n")
    assert problems == ['f:2:1: the key "a" is already on line 1']
    assert isinstance(root, MapNode) and root.pairs["a"][1].mark == Mark(1, 4)


def test_problems_are_bounded():
    assert len(said("".join("a: 1\n" for _ in range(5000)))[1]) == 200


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: [", "2:1"), ("a: b: c", "1:5"), ("\ta: b", "1:1"), ("a: 'x", "2:1"), ("%X\n", "1:3")],
)
def test_what_is_no_yaml_is_said_with_its_place(text, place):
    root, problems = said(text + ("\n" if not text.endswith("\n") else ""))
    assert root is None
    assert len(problems) == 1 and problems[0].startswith(f"f:{place}: this is not YAML: ")
