"""The fault table: its ids are numbered without gaps, and tests use no other ids."""

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

from .counting import Count
from .table import OPEN, RETIRED, TABLE

TESTS = Path(__file__).parents[1]
MIN_CASES = {
    'A': 34,
    'B': 18,
    'C': 26,
    'D': 22,
    'E': 16,
    'F': 8,
    'G': 18,
    'H': 12,
    'I': 11,
    'J': 16,
    'K': 12,
    'L': 11,
    'M': 16,
    'O': 15,
}


def test_the_blocks_have_enough_cases_without_gaps() -> None:
    counts = Counter(case[0] for case in TABLE)
    assert len(TABLE) >= sum(MIN_CASES.values()) > 193
    for block, number in counts.items():
        assert [case for case in TABLE if case[0] == block] == [f'{block}{i:02}' for i in range(1, number + 1)]
    assert all(fault and expected for fault, expected in TABLE.values())
    assert set(OPEN) <= set(TABLE) and set(RETIRED) <= set(TABLE) - set(OPEN)
    assert all(OPEN.values()) and all(RETIRED.values())


def test_tests_name_known_ids_only() -> None:
    for path in TESTS.rglob('test_*.py'):
        for marks in re.findall(r'mark\.fault\(([^)]*)\)', path.read_text(encoding='utf-8')):
            assert set(re.findall(r"'([A-Z]\d\d)'", marks)) <= set(TABLE) - set(RETIRED), (path.name, marks)


def test_a_case_counts_if_it_passed_and_nothing_failed() -> None:
    def report(outcome: str, when: str = 'call') -> SimpleNamespace:
        return SimpleNamespace(
            failed=outcome == 'failed',
            skipped=outcome == 'skipped',
            when=when,
            nodeid='t',
            longrepr=('file', 1, 'Skipped: no root'),
        )

    count = Count()
    for ids, one in (
        (['A01', 'A02'], report('passed')),
        (['A02'], report('failed')),
        (['A03'], report('skipped')),
        (['A04'], report('passed', 'setup')),
        (['I10'], report('passed')),
    ):
        count.add(ids, one)
    lines = count.lines()
    assert lines[-1] == f'faults shown: 1 of {len(TABLE) - len(RETIRED)}, {len(RETIRED)} retired'
    assert lines[-2].startswith('A 1/') and ' F ' not in lines[-2]
    reasons = {line.split()[0]: line for line in lines[:-2]}
    assert 'A01' not in reasons and 'failed: t' in reasons['A02']
    assert 'no root' in reasons['A03'] and 'no test' in reasons['A04']
    assert 'one numpy' in reasons['I10'] and all(reason in reasons[case] for case, reason in RETIRED.items())
