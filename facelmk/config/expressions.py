"""Expressions of a config, evaluated from their syntax: literals, names of the config, arithmetic, comprehensions."""

import ast
import operator
from collections.abc import Iterator
from typing import Any, NoReturn

from mmengine import ConfigDict

from .source import ConfigSource

MAX_VALUES = 200_000  # that a config may compute, lists of lists written out; the largest of facelmk needs 5,000
MAX_DEPTH = 50  # of dicts and lists in one another
MAX_BITS = 64  # of an integer
METHODS = {'update', 'items', 'keys', 'values'}  # those of a dict that a config may call
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
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}


class NotData(Exception):
    """A config file holds more than data, or an expression of it fails: where, and what."""

    def __init__(self, source: ConfigSource, line: int, what: str) -> None:
        super().__init__(f'{source}:{line}: {what}')


class Budget:
    """Counts the values that a config computes, so that a short file cannot fill the memory."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise MemoryError(f'the config computes more than {MAX_VALUES} values')

    def spend_all(self, value: Any, times: int = 1) -> None:
        """Count a value and everything in it, as often as it is written out."""
        values = [(value, 0)]
        while values:
            item, depth = values.pop()
            self.spend(times)
            if depth > MAX_DEPTH:
                raise MemoryError(f'more than {MAX_DEPTH} dicts and lists lie in one another')
            if isinstance(item, (str, bytes)):
                self.spend(times * len(item) // 64)
            elif isinstance(item, (dict, list, tuple, set)):
                values += [(child, depth + 1) for child in (item.values() if isinstance(item, dict) else item)]


class Expressions(ast.NodeVisitor):
    """Evaluates expressions of one file; `names` are the variables that the file has assigned."""

    def __init__(self, source: ConfigSource, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.names: dict[str, Any] = {}

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        raise NotData(self.source, getattr(node, 'lineno', 1), what)

    def visit(self, node: ast.AST) -> Any:
        self.budget.spend(1)
        return super().visit(node)

    def generic_visit(self, node: ast.AST) -> NoReturn:
        self.refuse(node, f'{type(node).__name__}')

    def visit_Constant(self, node: ast.Constant) -> Any:
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

    def owner_and_key(self, node: ast.Attribute | ast.Subscript) -> tuple[Any, Any]:
        """The dict or list and the key of `x[key]`, or of `x.key`, which mmengine allows for the dicts of a base."""
        owner = self.visit(node.value)
        if isinstance(node, ast.Subscript):
            return owner, self.visit(node.slice)
        if hasattr(ConfigDict, node.attr) or not isinstance(owner, ConfigDict):
            self.refuse(node, f'the attribute {node.attr}')
        return owner, node.attr

    def visit_Slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self.visit(part) for part in (node.lower, node.upper, node.step)))

    def visit_List(self, node: ast.List) -> list[Any]:
        return self.items(node.elts)

    def visit_Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.items(node.elts))

    def visit_Set(self, node: ast.Set) -> Any:
        if len(node.elts) == 1 and isinstance(inner := node.elts[0], ast.Set):
            return self.visit(inner.elts[0])  # {{_base_.key}}
        return set(self.items(node.elts))

    def items(self, nodes: list[ast.expr]) -> list[Any]:
        result: list[Any] = []
        for node in nodes:
            result += self.visit(node.value) if isinstance(node, ast.Starred) else [self.visit(node)]
        return result

    def visit_Dict(self, node: ast.Dict) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            result.update({**self.visit(value)} if key is None else {self.visit(key): self.visit(value)})
        return result

    def visit_Call(self, node: ast.Call) -> Any:
        function: Any = None
        if isinstance(node.func, ast.Name) and node.func.id == 'dict':
            function = dict
        elif isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            owner = self.visit(node.func.value)
            function = getattr(owner, node.func.attr) if isinstance(owner, dict) else None
        if function is None:
            self.refuse(node, f'a call of {ast.unparse(node.func)}')
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            named.update(
                {**self.visit(keyword.value)} if keyword.arg is None else {keyword.arg: self.visit(keyword.value)}
            )
        result = function(*self.items(node.args), **named)
        return result if result is None or isinstance(result, dict) else list(result)

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
        result = OPERATORS[type(node.op)](left, right)
        if isinstance(result, int) and result.bit_length() > MAX_BITS:
            self.refuse(node, f'an integer of more than {MAX_BITS} bits')
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        return OPERATORS[type(node.op)](self.visit(node.operand))

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for part in node.values:
            value = self.visit(part)
            if bool(value) == isinstance(node.op, ast.Or):
                break
        return value

    def visit_Compare(self, node: ast.Compare) -> bool:
        values = [self.visit(part) for part in (node.left, *node.comparators)]
        pairs = zip(node.ops, values, values[1:], strict=False)
        return all(OPERATORS[type(sign)](left, right) for sign, left, right in pairs)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self.visit(node.body if self.visit(node.test) else node.orelse)

    def visit_ListComp(self, node: ast.ListComp) -> list[Any]:
        return [value for (value,) in self.comprehension(node.generators, node.elt)]

    def visit_SetComp(self, node: ast.SetComp) -> set[Any]:
        return {value for (value,) in self.comprehension(node.generators, node.elt)}

    def visit_DictComp(self, node: ast.DictComp) -> dict[Any, Any]:
        return dict(self.comprehension(node.generators, node.key, node.value))

    def comprehension(self, generators: list[ast.comprehension], *parts: ast.expr) -> list[list[Any]]:
        """The values of some expressions in each round; the variables of a comprehension end with it."""
        names = dict(self.names)
        rows = [[self.visit(part) for part in parts] for _ in self.rounds(generators)]
        self.names = names
        return rows

    def rounds(self, generators: list[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield
            return
        if generators[0].is_async:
            self.refuse(generators[0].iter, 'an async comprehension')
        for item in self.visit(generators[0].iter):
            self.assign(generators[0].target, item)
            if all(self.visit(condition) for condition in generators[0].ifs):
                yield from self.rounds(generators[1:])

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            if target.id in ('dict', 'read_base', '_base_') or target.id.startswith('__'):
                self.refuse(target, f'the name {target.id}')
            self.names[target.id] = value
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            owner, key = self.owner_and_key(target)
            owner[key] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            for item, part in zip(target.elts, value, strict=True):
                self.assign(item, part)
        else:
            self.refuse(target, f'an assignment to a {type(target).__name__}')
