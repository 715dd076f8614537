"""The mutants of a file: places that cosmic-ray's operators change, and a fixed sample of them."""

import ast
import difflib
import hashlib
from typing import NamedTuple

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

# Those operators whose mutants a person might write by mistake: not `+` for `>>`, for example.
OPERATORS = (
    *(
        f"core/ReplaceComparisonOperator_{pair}"
        for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq", "NotEq_Eq")
    ),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in ("Is_IsNot", "IsNot_Is")),
    *(
        f"core/ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_FloorDiv")
    ),
    *(
        f"core/ReplaceBinaryOperator_{pair}"
        for pair in ("Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr", "LShift_RShift", "RShift_LShift")
    ),
    *(f"core/ReplaceUnaryOperator_Delete_{name}" for name in ("Not", "USub", "Invert")),
    "core/AddNot",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/NumberReplacer",
    "core/ZeroIterationForLoop",
    "core/ExceptionReplacer",
)


class Mutant(NamedTuple):
    """A file with one change.

    Attributes:
      file: Its path in the repository.
      function: The dotted name of the function or class that is changed.
      before: The changed lines, with single spaces.
      after: What they are changed to.
      code: The whole file.
    """

    file: str
    function: str
    before: str
    after: str
    code: str

    @property
    def name(self):
        """Says which mutant this is. A line's number would soon be that of another."""
        return f"{self.file}: {self.function}\n- {self.before}\n+ {self.after}"


class Place(NamedTuple):
    """A place where an operator applies."""

    operator: str
    occurrence: int
    key: str


def places(source):
    """Yields all places, each with a key that changes elsewhere in the file do not change."""
    lines, functions = source.splitlines(), function_of_lines(source)
    nodes = list(ast_nodes(get_ast(source)))
    for name in OPERATORS:
        operator, seen = plugins.get_operator(name)(), {}
        found = [(node, start) for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, (node, (line, _)) in enumerate(found):
            if node.parent is not None and node.parent.type == "parameters":
                continue  # The `*` before keyword arguments, which cosmic-ray takes for a product.
            text = f"{name} {functions.get(line, '')} {lines[line - 1].strip()}"
            seen[text] = seen.get(text, 0) + 1
            yield Place(name, occurrence, f"{text} {seen[text]}")


def function_of_lines(source):
    """Returns, for the number of each line in a function or class, its dotted name."""
    names = {}

    def walk(node, name):
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inner = f"{name}.{child.name}".lstrip(".")
                names.update(dict.fromkeys(range(child.lineno, child.end_lineno + 1), inner))
            walk(child, inner)

    walk(ast.parse(source), "")
    return names


def sample(file, source, number, seed=0):
    """Returns `number` mutants of a file, or all if there are fewer.

    Those whose keys have the smallest hashes: so a change of one function leaves the sample of the
    others as it is.
    """

    def rank(place):
        return hashlib.sha256(f"{seed} {file} {place.key}".encode()).digest()

    chosen = {}
    for place in sorted(places(source), key=rank):
        if len(chosen) == number:
            break
        mutant = made(file, source, place)
        if mutant:
            chosen.setdefault(mutant.name, mutant)
    return list(chosen.values())


def made(file, source, place):
    """Returns the mutant of a place, or None if it does not compile or changes nothing."""
    code = mutate_code(source, plugins.get_operator(place.operator)(), place.occurrence)
    try:
        if ast.dump(ast.parse(code)) == ast.dump(ast.parse(source)):
            return None
    except SyntaxError:
        return None
    before, after = changed_lines(source, code)
    number = next(
        n for n, (a, b) in enumerate(zip(source.splitlines(), code.splitlines()), start=1) if a != b
    )
    function = function_of_lines(source).get(number, "the module")
    return Mutant(file, function, before, after, code)


def changed_lines(source, code):
    """Returns the lines that differ: before and after."""
    compared = list(difflib.ndiff(source.splitlines(), code.splitlines()))
    return tuple(
        " ".join(" ".join(line[2:].split()) for line in compared if line.startswith(sign))
        for sign in ("- ", "+ ")
    )
