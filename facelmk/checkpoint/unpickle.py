"""Read the pickles of torch: data, tensors and arrays; a name that is not in `objects.KNOWN` becomes a Stub.

Each opcode pays from the file's budget before it does anything, so that neither memory nor time can run away.
Python's `pickletools` explains the opcodes. https://docs.python.org/3/library/pickletools.html
"""

import pickle
import struct
from collections.abc import Callable
from typing import Any

from .building import KEY_COST, Builder, LoadStorage
from .limits import CONTAINER_COST, Budget, letter_bytes
from .objects import FROZENSET

OPCODE_COST, NUMBER_COST, TEXT_COST, PUT_COST = 24, 16, 56, 80  # bytes, as in `limits`
Operation = Callable[['Unpickler'], Any]
OPERATIONS: dict[int, Operation] = {}
STOP = pickle.STOP[0]
_NUMBERS = {code: struct.Struct(code) for code in ('<B', '<H', '<i', '<I', '<Q', '>d')}


def operation(names: str) -> Callable[[Operation], Operation]:
    """Register what is done for the opcodes of these names; all other opcodes are refused."""

    def register(function: Operation) -> Operation:
        OPERATIONS.update({getattr(pickle, name)[0]: function for name in names.split()})
        return function

    return register


def pushes(names: str, make: Operation) -> None:
    """Register opcodes that put one object onto the stack."""
    operation(names)(lambda self: self.push_new(0, make(self)))


class Unpickler(Builder):
    """Reads the pickle that begins at `offset`; afterwards `offset` is the byte behind it."""

    def __init__(self, content: Any, budget: Budget, load_storage: LoadStorage, offset: int = 0) -> None:
        super().__init__(budget, load_storage)
        self.content, self.offset = content, offset

    def load(self) -> Any:
        """Return the object; raise ValueError if the pickle is damaged or asks for too much."""
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        content, budget = self.content, self.budget
        try:
            while (code := content[self.offset]) != STOP:
                self.offset += 1
                budget.left -= OPCODE_COST  # `spend`, without a call
                if budget.left < 0:
                    budget.spend(0)
                OPERATIONS[code](self)
            self.offset += 1
            return self.stack.pop()
        except (LookupError, struct.error) as error:
            raise ValueError('its pickle is damaged, cut off, or has opcodes that torch does not write') from error

    def number(self, code: str) -> Any:
        """The number that comes next, in a form of `struct`."""
        form = _NUMBERS[code]
        self.budget.left -= NUMBER_COST
        (value,) = form.unpack_from(self.content, self.offset)
        self.offset += form.size
        return value

    def raw(self, code: str) -> bytes:
        """The bytes that come next, behind their number."""
        length = self.number(code)
        begin, self.offset = self.offset, self.offset + length
        if not begin <= self.offset <= len(self.content):
            raise ValueError('its pickle is cut off')
        self.budget.spend(TEXT_COST + length)
        return self.content[begin : self.offset]

    def text(self, code: str) -> str:
        """A text in UTF-8; invalid bytes are written as \\xff."""
        raw = self.raw(code)
        if letter_bytes(raw) > 1:
            self.budget.spend(letter_bytes(raw) * len(raw))
        return str(raw, 'utf-8', 'backslashreplace')

    def line(self) -> str:
        """The text up to the end of the line; a name has at most 255 bytes."""
        end = self.content.find(b'\n', self.offset, self.offset + 256)
        if end < 0:
            raise ValueError('a name in it has no end')
        begin, self.offset = self.offset, end + 1
        return str(self.content[begin:end], 'utf-8', 'backslashreplace')

    def pop(self, count: int) -> list[Any]:
        """Take this many objects off the stack."""
        items = self.stack[-count:]
        if len(items) < count:
            raise IndexError
        del self.stack[-count:]
        return items

    def pop_mark(self) -> list[Any]:
        """Take the objects above the last mark off the stack."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def push_new(self, cost: int, value: Any) -> None:
        """Pay for an object and put it onto the stack."""
        self.budget.spend(cost)
        self.stack.append(value)

    def push_tuple(self, items: list[Any]) -> None:
        """Put the items onto the stack as a tuple."""
        self.push_new(TEXT_COST + 8 * len(items), tuple(items))

    def put(self, index: int) -> None:
        """Keep the top of the stack under a number."""
        self.budget.spend(PUT_COST)
        self.memo[index] = self.stack[-1]


pushes('NONE', lambda self: None)
pushes('NEWTRUE', lambda self: True)
pushes('NEWFALSE', lambda self: False)
pushes('EMPTY_TUPLE', lambda self: ())
pushes('BININT', lambda self: self.number('<i'))
pushes('BININT1', lambda self: self.number('<B'))
pushes('BININT2', lambda self: self.number('<H'))
pushes('BINFLOAT', lambda self: self.number('>d'))
pushes('LONG1', lambda self: int.from_bytes(self.raw('<B'), 'little', signed=True))
pushes('SHORT_BINSTRING', lambda self: str(self.raw('<B'), 'latin1'))  # a text or bytes of Python 2
pushes('BINSTRING', lambda self: str(self.raw('<i'), 'latin1'))
pushes('SHORT_BINUNICODE', lambda self: self.text('<B'))
pushes('BINUNICODE', lambda self: self.text('<I'))
pushes('BINUNICODE8', lambda self: self.text('<Q'))
pushes('SHORT_BINBYTES', lambda self: self.raw('<B'))
pushes('BINBYTES', lambda self: self.raw('<I'))
pushes('BINBYTES8 BYTEARRAY8', lambda self: self.raw('<Q'))
pushes('BINGET', lambda self: self.memo[self.number('<B')])
pushes('LONG_BINGET', lambda self: self.memo[self.number('<I')])
operation('PROTO')(lambda self: self.number('<B'))
operation('FRAME')(lambda self: self.number('<Q'))
operation('BINPUT')(lambda self: self.put(self.number('<B')))
operation('LONG_BINPUT')(lambda self: self.put(self.number('<I')))
operation('MEMOIZE')(lambda self: self.put(len(self.memo)))
operation('POP_MARK')(Unpickler.pop_mark)
operation('POP')(lambda self: self.stack.pop() if self.stack else self.pop_mark())
operation('EMPTY_LIST')(lambda self: self.push_new(CONTAINER_COST, []))
operation('EMPTY_DICT')(lambda self: self.push_new(TEXT_COST, {}))
operation('EMPTY_SET')(lambda self: self.push_new(CONTAINER_COST, set()))
operation('TUPLE')(lambda self: self.push_tuple(self.pop_mark()))
operation('TUPLE1')(lambda self: self.push_tuple(self.pop(1)))
operation('TUPLE2')(lambda self: self.push_tuple(self.pop(2)))
operation('TUPLE3')(lambda self: self.push_tuple(self.pop(3)))
operation('APPEND')(lambda self: self.extend(self.pop(1), self.stack[-1]))
operation('APPENDS')(lambda self: self.extend(self.pop_mark(), self.stack[-1]))
operation('ADDITEMS')(lambda self: self.add(self.pop_mark(), self.stack[-1]))
operation('SETITEM')(lambda self: self.set_items(self.pop(2), self.stack[-1]))
operation('SETITEMS')(lambda self: self.set_items(self.pop_mark(), self.stack[-1]))
operation('BUILD')(lambda self: self.build(self.stack.pop(), self.stack[-1]))
pushes('FROZENSET', lambda self: self.call(FROZENSET, (self.pop_mark(),)))
pushes('GLOBAL', lambda self: self.find(self.line(), self.line()))
pushes('STACK_GLOBAL', lambda self: self.find(*self.pop(2)))
pushes('REDUCE', lambda self: self.call(*self.pop(2)))
pushes('NEWOBJ', lambda self: self.call(*self.pop(2)))
pushes('NEWOBJ_EX', lambda self: self.call(*self.pop(3)[:2]))
pushes('BINPERSID', lambda self: self.persistent(*self.pop(1)))


@operation('MARK')
def _mark(self: Unpickler) -> None:
    self.budget.spend(KEY_COST)
    self.marks.append(self.stack)
    self.stack = []
