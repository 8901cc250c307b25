"""Counts the cases of the fault table that tests have shown: `PYTHONPATH=tests pytest -p faults.counting -m fault`."""

import pytest

from .table import OPEN, TABLE


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
        """The result: how many of each block, and the open cases with their reasons."""
        shown = self.passed - set(self.failed) - set(OPEN)
        blocks = sorted({name[0] for name in TABLE})
        parts = ', '.join(
            f'{block} {sum(name[0] == block for name in shown)}/{sum(n[0] == block for n in TABLE)}' for block in blocks
        )
        open_ids = [
            f'  {name}  {TABLE[name][0]}: {OPEN.get(name) or self.failed.get(name) or "no test yet"}'
            for name in TABLE
            if name not in shown
        ]
        return [*open_ids, parts, f'faults shown: {len(shown)} of {len(TABLE)}']


COUNT = Count()


def claimed(item: pytest.Item) -> list[str]:
    """The ids that a test's marks name."""
    return [name for mark in item.iter_markers('fault') for name in mark.args]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the ids into each test's report; an id that is not in the table ends the run."""
    for item in items:
        ids = claimed(item)
        if unknown := [name for name in ids if name not in TABLE]:
            raise pytest.UsageError(f'{item.nodeid} claims {unknown}, which tests/faults/table.py does not list')
        item.user_properties.extend(('fault', name) for name in ids)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a report, also those that parallel workers send."""
    COUNT.add([str(value) for key, value in report.user_properties if key == 'fault'], report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which cases are open, and how many are shown."""
    terminalreporter.section('fault table')
    for line in COUNT.lines():
        terminalreporter.write_line(line)
