"""Evaluate a config from its syntax tree, without running it: the result is data, and no code is reached.

A config may hold literals, dict(...), names of the config and arithmetic on them, comprehensions, `read_base` imports
of configs, `_base_`, assignments, `del` and `.update(...)`. Anything else raises `NotData`. The results are those of
mmengine's own reader: https://mmengine.readthedocs.io/en/latest/advanced_tutorials/config.html
"""

import ast
import copy
import re
from typing import Any

from mmengine import Config, ConfigDict

from .expressions import Budget, Expressions, NotData
from .inherit import base_names
from .source import ConfigSource

ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)  # of an expression that fails
_SUBSTITUTED = re.compile(r'\{\{(?!\s*_base_[.\w]*\s*\}\})')  # mmengine puts values into the text there


def evaluate(source: ConfigSource, budget: Budget | None = None) -> ConfigDict:
    """The keys and values of a config and of its bases; raises `NotData` where they are more than data."""
    budget = budget or Budget()
    if match := _SUBSTITUTED.search(source.text):
        line = source.text.count('\n', 0, match.start()) + 1
        raise NotData(source, line, 'a value that is put into the text before it is read')
    try:
        base = ConfigDict()
        for _, merged in source.merged:
            base.update(evaluate(merged, budget))
        values = _values(source, base, budget)
        budget.spend_all(values)
        return Config._dict_to_config_dict_lazy(Config._merge_a_into_b(values, base))
    except (MemoryError, RecursionError, *ERRORS) as error:  # of values that do not fit those of a base, too
        raise NotData(source, 1, f'{type(error).__name__}: {error}') from error


def _values(source: ConfigSource, base: ConfigDict, budget: Budget) -> dict[str, Any]:
    """What the file itself says."""
    if isinstance(source.tree, ast.Module):
        values = Evaluator(source, base, budget).run(source.tree)
    else:
        _check_bases(source, 1, source.tree.get('_base_', []))
        values = copy.deepcopy(source.tree)
    return {key: value for key, value in values.items() if key != '_base_' and not str(key).startswith('__')}


def _check_bases(source: ConfigSource, line: int, value: Any) -> None:
    if len(base_names(value)) != (len(value) if isinstance(value, (list, tuple)) else 1):
        raise NotData(source, line, f'a base of another package or of the network ({value!r})')


class Evaluator(Expressions):
    """Evaluates the statements of one file."""

    def __init__(self, source: ConfigSource, base: ConfigDict, budget: Budget) -> None:
        super().__init__(source, budget)
        self.names = {'_base_': base} if source.merged else {}
        self.imported: dict[ConfigSource, ConfigDict] = {}

    def run(self, tree: ast.Module) -> dict[str, Any]:
        for statement in tree.body:
            try:
                self.visit(statement)
            except (MemoryError, RecursionError, *ERRORS) as error:
                self.refuse(statement, f'{type(error).__name__}: {error}')
        return self.names

    def visit_Pass(self, node: ast.Pass) -> None:
        pass

    def visit_Expr(self, node: ast.Expr) -> None:
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == '_base_' and _is_literal(node.value):
                _check_bases(self.source, node.lineno, value)  # the bases have been read
            else:
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
            if isinstance(target, ast.Name):
                del self.names[target.id]
            elif isinstance(target, (ast.Attribute, ast.Subscript)):
                owner, key = self.owner_and_key(target)
                del owner[key]
            else:
                self.refuse(target, f'del of a {type(target).__name__}')

    def visit_With(self, node: ast.With) -> None:
        if [ast.unparse(item) for item in node.items] != ['read_base()']:
            self.refuse(node, 'a `with` other than read_base()')
        for line in node.body:
            if not isinstance(line, ast.ImportFrom) or line not in self.source.imported:
                self.refuse(line, f'{ast.unparse(line)!r} below read_base()')
            self.import_base(line, self.source.imported[line])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if ast.unparse(node) != 'from mmengine.config import read_base':
            self.refuse(node, f'an import from {node.module}')

    def import_base(self, node: ast.ImportFrom, base: ConfigSource) -> None:
        if base not in self.imported:
            self.imported[base] = evaluate(base, self.budget)
        values = self.imported[base]
        for alias in node.names:
            if alias.name == '*':
                self.names.update(dict.items(values))
            else:
                self.assign(ast.copy_location(ast.Name(alias.asname or alias.name), node), values[alias.name])


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (
        isinstance(node, (ast.List, ast.Tuple)) and all(map(_is_literal, node.elts))
    )
