"""Check the opcodes of a pickle before anything unpickles it: the names in it, and how much work it asks for.

Python's `pickletools` lists the opcodes and runs none. https://docs.python.org/3/library/pickletools.html
"""

import pickletools
from typing import IO, Any

MAX_OPCODES = 1_000_000  # HRNet with the state of its optimizer has 200,000
MAX_CALLS = 100_000  # of functions and classes, and names of them: two or three a tensor
MAX_KEY_ITEMS = 4_000  # in all keys that are neither texts nor small numbers: others may be made to collide in a dict
SMALL_INT = 2**61 - 1  # Python hashes an integer modulo this number: smaller ones do not collide
MAX_WEIGHT = 1 << 40

# torch writes none of these; they share memory, import by number, or build objects in ways of before protocol 2
REFUSED = {'BYTEARRAY8', 'NEXT_BUFFER', 'READONLY_BUFFER', 'EXT1', 'EXT2', 'EXT4', 'INST', 'OBJ', 'PERSID', 'DUP'}
_PUTS, _GETS = {'PUT', 'BINPUT', 'LONG_BINPUT', 'MEMOIZE'}, {'GET', 'BINGET', 'LONG_BINGET'}
_FILLS_FIRST_ITEM = {'APPEND', 'APPENDS', 'SETITEM', 'SETITEMS', 'ADDITEMS', 'BUILD'}
_MAKES_HASHABLE = {'TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'FROZENSET', 'REDUCE', 'NEWOBJ', 'NEWOBJ_EX'}
_CALLS = {'REDUCE', 'NEWOBJ', 'NEWOBJ_EX', 'GLOBAL', 'STACK_GLOBAL'}
_KEYS = {  # where an opcode that hashes its operands has them
    'SETITEM': slice(1, None, 2),
    'SETITEMS': slice(1, None, 2),
    'ADDITEMS': slice(1, None),
    'DICT': slice(0, None, 2),
    'FROZENSET': slice(None),
}


def scan_pickle(file: IO[bytes] | bytes) -> set[str]:
    """Return the names ('module name') in the pickle at the file's position, which ends behind that pickle.

    Raises ValueError if unpickling could take more memory or time than a file of this size should.
    """
    stack = _Stack()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if number > MAX_OPCODES:
                raise ValueError(f'it has more than {MAX_OPCODES} opcodes')
            if opcode.name in REFUSED:
                raise ValueError(f'it has the opcode {opcode.name}, which torch does not write')
            stack.apply(opcode, argument)
    except (LookupError, TypeError) as error:
        raise ValueError('its pickle is damaged') from error
    return stack.names


class _Stack:
    """The stack of an unpickler with a weight in place of each object.

    Weights say how long comparisons take if the object is a key of a dict and collides with other keys. A tuple weighs
    1 and its items, the result of a call 1, an integer of 61 bits or more 1. Everything else weighs 0: it cannot be a
    key, or an attacker cannot make it collide. Texts and names stand for themselves.
    """

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.below_marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.names: set[str] = set()
        self.calls = self.key_items = 0

    def apply(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Do to the weights what the opcode does to the objects."""
        name = opcode.name
        if name == 'MARK':
            self.below_marks.append(self.items)
            self.items = []
        elif name in _PUTS:
            self.memo[len(self.memo) if argument is None else argument] = self.items[-1]
        elif name in _GETS:
            self.items.append(self.memo[argument])
        elif name == 'POP' and not self.items:
            self.items = self.below_marks.pop()
        else:
            operands = self._pop(opcode.stack_before)
            self._check(name, operands)
            if opcode.stack_after:
                self.items.append(self._result(name, argument, operands))

    def _pop(self, kinds: list[pickletools.StackObject]) -> list[Any]:
        """Take the operands of an opcode off the stack, those above a mark included."""
        operands: list[Any] = []
        number = len(kinds)
        if pickletools.markobject in kinds:
            operands, self.items = self.items, self.below_marks.pop()
            number = kinds.index(pickletools.markobject)
        return [self.items.pop() for _ in range(number)][::-1] + operands

    def _check(self, name: str, operands: list[Any]) -> None:
        keys = operands[_KEYS[name]] if name in _KEYS else []
        if name == 'BINPERSID':  # torch keeps storages in a dict by an item of this tuple
            keys = [_weight(operands[0]) - 1]
        if name == 'BUILD' and isinstance(operands[0], str):
            raise ValueError('it changes a class or function, which no weights need')
        if name == 'REDUCE' and operands[0] == 'collections OrderedDict' and operands[1]:
            self.names.add('collections OrderedDict(items)')  # which torch's own reader must not get
        self.calls += name in _CALLS
        if self.calls > MAX_CALLS:
            raise ValueError(f'it calls or names more than {MAX_CALLS} functions and classes')
        self.key_items += sum(map(_weight, keys))
        if self.key_items > MAX_KEY_ITEMS:
            raise ValueError(f'its keys that are neither texts nor small numbers have more than {MAX_KEY_ITEMS} items')

    def _result(self, name: str, argument: Any, operands: list[Any]) -> Any:
        if name in ('GLOBAL', 'STACK_GLOBAL'):
            named = argument if name == 'GLOBAL' else ' '.join(operands)
            self.names.add(named)
            return named
        if isinstance(argument, (str, int)):
            return argument if isinstance(argument, str) else int(abs(argument) >= SMALL_INT)
        if name in _FILLS_FIRST_ITEM:
            return operands[0]
        if name in _MAKES_HASHABLE:
            return min(1 + sum(map(_weight, operands)), MAX_WEIGHT) if name.startswith('TUPLE') else 1
        return 0


def _weight(item: Any) -> int:
    return item if isinstance(item, int) else 0
