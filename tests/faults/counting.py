"""Counts the cases of the fault table that tests have shown: `PYTHONPATH=tests pytest -p faults.counting -m fault`."""

import pytest

from .table import OPEN, RETIRED, TABLE


class Count:
    """Which cases passed, and why others did not."""

    def __init__(self) -> None:
        self.passed: set[str] = set()
        self.failed: dict[str, str] = {}

    def add(self, ids: list[str], report: pytest.TestReport) -> None:
        """Take one report: a case is shown when a test of it passed and none failed or was skipped."""
        if report.failed:
            self.failed |= dict.fromkeys(ids, f'failed: {report.nodeid}')
        elif report.skipped:
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else 'expected to fail'
            for name in ids:
                self.failed.setdefault(name, f'{why} ({report.nodeid})')
        elif report.when == 'call':
            self.passed.update(ids)

    def lines(self) -> list[str]:
        """The result: the open and the retired cases with their reasons, and how many of each block are shown."""
        active = [name for name in TABLE if name not in RETIRED]
        shown = self.passed - set(self.failed) - set(OPEN) - set(RETIRED)
        parts = [
            f'{block} {sum(name[0] == block for name in shown)}/{sum(name[0] == block for name in active)}'
            for block in sorted({name[0] for name in active})
        ]
        reasons = [
            f'  {name}  {TABLE[name][0]}: {OPEN.get(name) or self.failed.get(name) or "no test yet"}'
            for name in active
            if name not in shown
        ]
        retired = [f'  {name}  {TABLE[name][0]}: retired, {reason}' for name, reason in RETIRED.items()]
        total = f'faults shown: {len(shown)} of {len(active)}, {len(RETIRED)} retired'
        return [*reasons, *retired, ', '.join(parts), total]


COUNT = Count()


def claimed(item: pytest.Item) -> list[str]:
    """The ids that a test's marks name."""
    return [name for mark in item.iter_markers('fault') for name in mark.args]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the ids into each test's report; an id that the table does not list, or has retired, ends the run."""
    for item in items:
        ids = claimed(item)
        if unknown := [name for name in ids if name not in TABLE or name in RETIRED]:
            raise pytest.UsageError(f'{item.nodeid} claims {unknown}; tests/faults/table.py lists the active cases')
        item.user_properties.extend(('fault', name) for name in ids)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a report, also those that parallel workers send."""
    COUNT.add([str(value) for key, value in report.user_properties if key == 'fault'], report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which cases are open, and how many are shown."""
    terminalreporter.section('fault table')
    for line in COUNT.lines():
        terminalreporter.write_line(line)
