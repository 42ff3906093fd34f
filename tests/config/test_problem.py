from tidegate.config.problem import Mark, Problem, dotted, in_order


def test_a_problem_is_one_line():
    problem = Problem("t.yaml", Mark(12, 5), ("routes", "chat", "target"), "there is none")
    assert str(problem) == "t.yaml:12:5: routes.chat.target: there is none"


def test_a_problem_of_the_whole_file_has_no_path():
    assert str(Problem("t.yaml", Mark(1, 1), (), "it is empty")) == "t.yaml:1:1: it is empty"


def test_problems_come_by_line_then_column_each_once():
    def at(line, column):
        return Problem("f", Mark(line, column), (), "x")

    assert in_order([at(10, 1), at(2, 9), at(2, 3), at(2, 9)]) == [at(2, 3), at(2, 9), at(10, 1)]


def test_odd_names_in_a_path_are_quoted():
    assert dotted(("routes", "a b", "")) == 'routes."a b".""'
