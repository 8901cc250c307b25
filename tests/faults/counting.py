"""A pytest plugin that counts the cases of the fault table which tests show: `make faults`."""

from collections import Counter

import pytest

from .table import OPEN, RETIRED, TABLE


class Count:
    """The ids of the cases that passed, and the reason why others did not."""

    def __init__(self) -> None:
        self.passed: set[str] = set()
        self.failed: dict[str, str] = {}

    def add(self, ids: list[str], report: pytest.TestReport) -> None:
        """Add one report. A case is shown if at least one of its tests passed and none failed or was skipped."""
        if report.failed:
            self.failed |= dict.fromkeys(ids, f'failed: {report.nodeid}')
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else 'expected to fail'
            for case in ids:
                self.failed.setdefault(case, f'{reason} ({report.nodeid})')
        elif report.when == 'call':
            self.passed.update(ids)

    def lines(self) -> list[str]:
        """The lines of the summary: the open and retired cases with their reasons, each block, the total."""
        valid = [case for case in TABLE if case not in RETIRED]
        shown = self.passed.intersection(valid) - set(self.failed) - set(OPEN)
        all_of, shown_of = (Counter(case[0] for case in cases) for cases in (valid, shown))
        open_cases = [
            f'  {case}  {TABLE[case][0]}: {OPEN.get(case) or self.failed.get(case) or "no test yet"}'
            for case in valid
            if case not in shown
        ]
        retired = [f'  {case}  {TABLE[case][0]}: retired, {reason}' for case, reason in RETIRED.items()]
        blocks = ', '.join(f'{block} {shown_of[block]}/{count}' for block, count in sorted(all_of.items()))
        total = f'faults shown: {len(shown)} of {len(valid)}, {len(RETIRED)} retired'
        return [*open_cases, *retired, blocks, total]


COUNT = Count()


def fault_ids(item: pytest.Item) -> list[str]:
    """The ids in a test's `fault` marks."""
    return [case for mark in item.iter_markers('fault') for case in mark.args]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the ids into each test's report. An id that is unknown or retired stops the run."""
    for item in items:
        ids = fault_ids(item)
        if unknown := [case for case in ids if case not in TABLE or case in RETIRED]:
            raise pytest.UsageError(f'{item.nodeid} names {unknown}; tests/faults/table.py lists the valid cases')
        item.user_properties.extend(('fault', case) for case in ids)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a report, also one that a parallel worker sends."""
    COUNT.add([str(value) for key, value in report.user_properties if key == 'fault'], report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which cases are open, and how many are shown."""
    terminalreporter.section('fault table')
    for line in COUNT.lines():
        terminalreporter.write_line(line)
