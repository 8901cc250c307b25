"""Evaluate a config from its syntax tree, without running it: the result is data, and no code is reached.

A config may hold literals, dict(...), names of the config and arithmetic on them, `read_base` imports of configs,
`_base_`, assignments, `del` and `.update(...)`. Anything else raises `NotData`. The results are those of mmengine's own
reader: https://mmengine.readthedocs.io/en/latest/advanced_tutorials/config.html
"""

import ast
import copy
import operator
import re
from typing import Any, NoReturn

from mmengine import Config, ConfigDict

from .source import ConfigSource
from .texts import short

MAX_VALUES = 50_000  # that a config may compute, lists of lists written out; the largest of facelmk needs 8,000
MAX_RESULT = 5_000  # values of the config itself, which print in a second; the largest of facelmk has 500
FILE_COST = 100  # values that each reading of a base counts as
MAX_DEPTH = 50  # of dicts and lists in one another
MAX_BITS = 64  # of an integer
OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
PLAIN = (str, int, float, bool, type(None))  # what a config may hold in dicts, lists and tuples
ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)  # of an expression that fails
_SUBSTITUTED = re.compile(r'\{\{(?!\s*_base_[.\w]*\s*\}\})')  # mmengine puts values into the text there


class NotData(Exception):
    """A config file holds more than data, or an expression of it fails: where, and what."""

    def __init__(self, source: ConfigSource, line: int, what: str) -> None:
        super().__init__(f'{source}:{line}: {what}')


class Budget:
    """Counts the values that a config computes, so that a short file cannot fill the memory."""

    def __init__(self, limit: int = MAX_VALUES) -> None:
        self.limit = self.left = limit

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise MemoryError(f'the config has or computes more than {self.limit} values')

    def spend_all(self, value: Any, times: int = 1) -> None:
        """Count a value and everything in it, as often as it is written out; refuse what is no plain value."""
        values = [(value, 0)]
        while values:
            item, depth = values.pop()
            self.spend(times)
            if depth > MAX_DEPTH:
                raise MemoryError(f'more than {MAX_DEPTH} dicts and lists lie in one another')
            if isinstance(item, dict):
                self.spend(4 * times)  # a dict takes as long to print as some numbers
                if odd := [key for key in item if not isinstance(key, str)]:
                    raise TypeError(f'the key {short(odd[0])} of a dict is no text')
                values += [(child, depth + 1) for pair in item.items() for child in pair]
            elif isinstance(item, (list, tuple)):
                values += [(child, depth + 1) for child in item]
            elif not isinstance(item, PLAIN) or item != item:
                raise TypeError(f'a value of the type {type(item).__name__}, {short(item)}, is not plain')
            elif isinstance(item, str):
                self.spend(times * len(item) // 64)
                if '\0' in item.encode().decode():  # encode refuses half of a character
                    raise ValueError(f'the text {short(item)} has a NUL')
            elif isinstance(item, int) and item.bit_length() > MAX_BITS:
                raise OverflowError(f'an integer has more than {MAX_BITS} bits')


def evaluate(source: ConfigSource, budget: Budget | None = None) -> ConfigDict:
    """The keys and values of a config and of its bases; raises `NotData` where they are more than data."""
    budget = budget or Budget()
    budget.spend(FILE_COST)
    if match := _SUBSTITUTED.search(source.text):
        line = source.text.count('\n', 0, match.start()) + 1
        raise NotData(source, line, 'a value that is put into the text before it is read')
    if source.line_of_other_base is not None:
        raise NotData(source, source.line_of_other_base, 'a base of another package or of the network')
    try:
        base = ConfigDict()
        for _, other in source.merged:
            base.update(evaluate(other, budget))
        values = Evaluator(source, base, budget).run()
        own = {key: value for key, value in values.items() if key != '_base_' and not str(key).startswith('__')}
        budget.spend_all(own)
        merged = Config._merge_a_into_b(own, base)
        Budget(MAX_RESULT).spend_all(merged)
        return Config._dict_to_config_dict_lazy(merged)
    except (MemoryError, RecursionError, *ERRORS) as error:  # of values that do not fit those of a base, too
        raise NotData(source, 1, f'{type(error).__name__}: {error}') from error


class Evaluator(ast.NodeVisitor):
    """Evaluates the statements of one file; `names` are the variables that the file has assigned."""

    def __init__(self, source: ConfigSource, base: ConfigDict, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.names: dict[str, Any] = {'_base_': base} if source.merged else {}
        self.imported: dict[ConfigSource, ConfigDict] = {}

    def run(self) -> dict[str, Any]:
        if isinstance(self.source.tree, dict):
            return copy.deepcopy(self.source.tree)
        for statement in self.source.tree.body:
            try:
                self.visit(statement)
            except (MemoryError, RecursionError, *ERRORS) as error:
                self.refuse(statement, f'{type(error).__name__}: {error}')
        return self.names

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        raise NotData(self.source, getattr(node, 'lineno', 1), what)

    def visit(self, node: ast.AST) -> Any:
        self.budget.spend(1)
        return super().visit(node)

    def generic_visit(self, node: ast.AST) -> NoReturn:
        self.refuse(node, f'{type(node).__name__} is code, not data')

    def visit_Pass(self, node: ast.Pass) -> None:
        pass

    def visit_Expr(self, node: ast.Expr) -> None:
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.visit(node.value)
        for target in node.targets:
            if not isinstance(target, ast.Name) or target.id != '_base_':  # the bases have been read
                self.assign(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.visit(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        before, value = self.visit(node.target), self.visit(node.value)
        if isinstance(before, list) and isinstance(node.op, ast.Add):
            before += value  # in place, as Python does
        else:
            self.assign(node.target, self.combine(node, before, value))

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            owner, key = self.owner_and_key(target)
            del owner[key]

    def visit_With(self, node: ast.With) -> None:
        if [ast.unparse(item) for item in node.items] != ['read_base()']:
            self.refuse(node, 'a `with` other than read_base()')
        for line in node.body:
            base = self.source.imported.get(line)
            if base is None or not isinstance(line, ast.ImportFrom):
                self.refuse(line, f'{ast.unparse(line)!r} below read_base()')
            if base not in self.imported:
                self.imported[base] = evaluate(base, self.budget)
            for alias in line.names:
                if alias.name == '*':
                    self.names.update(dict.items(self.imported[base]))
                else:
                    name = ast.copy_location(ast.Name(alias.asname or alias.name), line)
                    self.assign(name, self.imported[base][alias.name])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if ast.unparse(node) != 'from mmengine.config import read_base':
            self.refuse(node, f'an import from {node.module}')

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for item, part in zip(target.elts, value, strict=True):
                self.assign(item, part)
            return
        owner, key = self.owner_and_key(target)
        if isinstance(target, ast.Name) and (key in ('dict', 'read_base', '_base_') or key.startswith('__')):
            self.refuse(target, f'the name {key}')
        owner[key] = value

    def owner_and_key(self, node: ast.expr) -> tuple[Any, Any]:
        """The dict or list and the key of `x[key]`, or of `x.key`, which mmengine allows for the dicts of a base."""
        if isinstance(node, ast.Name):
            return self.names, node.id
        if not isinstance(node, (ast.Attribute, ast.Subscript)):
            self.refuse(node, f'a {type(node).__name__} in the place of a name')
        owner = self.visit(node.value)
        if isinstance(node, ast.Subscript):
            return owner, self.text_key(node.slice) if isinstance(owner, dict) else self.visit(node.slice)
        if hasattr(ConfigDict, node.attr) or not isinstance(owner, ConfigDict):
            self.refuse(node, f'the attribute {node.attr}')
        return owner, node.attr

    def visit_Constant(self, node: ast.Constant) -> Any:
        self.budget.spend_all(node.value)
        return node.value

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            self.refuse(node, f'the name {node.id}, which the config does not assign')
        self.budget.spend_all(self.names[node.id])  # the value may be written out once more
        return self.names[node.id]

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> Any:
        owner, key = self.owner_and_key(node)
        return owner[key]

    visit_Subscript = visit_Attribute

    def visit_List(self, node: ast.List) -> list[Any]:
        return self.items(node.elts)

    def visit_Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.items(node.elts))

    def visit_Set(self, node: ast.Set) -> Any:
        match node.elts:
            case [ast.Set(elts=[name])]:  # {{_base_.key}}
                return self.visit(name)
        self.refuse(node, 'a set')

    def items(self, nodes: list[ast.expr]) -> list[Any]:
        result: list[Any] = []
        for node in nodes:
            result += self.visit(node.value) if isinstance(node, ast.Starred) else [self.visit(node)]
        return result

    def visit_Dict(self, node: ast.Dict) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            result.update({**self.visit(value)} if key is None else {self.text_key(key): self.visit(value)})
        return result

    def text_key(self, node: ast.expr) -> str:
        key = self.visit(node)
        if not isinstance(key, str):
            self.refuse(node, f'the key {short(key)} of a dict, which is no text')
        return key

    def visit_Call(self, node: ast.Call) -> Any:
        function: Any = dict if isinstance(node.func, ast.Name) and node.func.id == 'dict' else None
        if isinstance(node.func, ast.Attribute) and node.func.attr == 'update':
            owner = self.visit(node.func.value)
            function = owner.update if isinstance(owner, dict) else None
        if function is None:
            self.refuse(node, f'a call of {ast.unparse(node.func)}')
        names: list[ast.expr | None] = [ast.Constant(word.arg) if word.arg else None for word in node.keywords]
        named = self.visit(ast.Dict(names, [keyword.value for keyword in node.keywords]))
        return function(*self.items(node.args), **named)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        return self.combine(node, self.visit(node.left), self.visit(node.right))

    def combine(self, node: ast.BinOp | ast.AugAssign, left: Any, right: Any) -> Any:
        """The result of an operator; results that would fill the memory are refused before they are computed."""
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if isinstance(node.op, ast.Mult) and not numbers:
            self.budget.spend_all(*((left, max(right, 0)) if isinstance(right, int) else (right, max(left, 0))))
        elif not (numbers or isinstance(node.op, ast.Add)):
            self.refuse(node, f'{type(node.op).__name__} of values that are not numbers')
        elif isinstance(node.op, ast.Pow) and max(abs(left), abs(right) ** 8) > 2**48:
            self.refuse(node, 'a power that is too large')
        return self.operate(node, left, right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        return self.operate(node, self.visit(node.operand))

    def operate(self, node: ast.BinOp | ast.AugAssign | ast.UnaryOp, *operands: Any) -> Any:
        if type(node.op) not in OPERATORS:
            self.refuse(node, f'the operator {type(node.op).__name__}')
        result = OPERATORS[type(node.op)](*operands)
        if isinstance(result, int) and result.bit_length() > MAX_BITS:
            self.refuse(node, f'an integer of more than {MAX_BITS} bits')
        return result
