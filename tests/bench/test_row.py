"""Timing two functions in turns, and rows as text and json."""

import gc
import time

import pytest

from facelmk.bench.row import Amount, Options, Row, Timing, compare, compare_all, measure, not_measured, with_unit


def busy(seconds: float) -> None:
    """Use CPU time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_the_ratio_is_that_of_the_cpu_times() -> None:
    row = compare('work', lambda: busy(0.005), lambda: busy(0.015), 'slow work', seconds=0.3)
    assert row.ratio == pytest.approx(3, rel=0.2)
    assert row.ours.cpu == pytest.approx(0.005, rel=0.2) and row.peer.cpu == pytest.approx(0.015, rel=0.2)
    assert row.ratio_range[0] <= row.ratio <= row.ratio_range[1]
    assert row.peer_name == 'slow work' and row.rounds >= 3


def test_waiting_costs_no_cpu_time() -> None:
    timing = measure('wait', lambda: time.sleep(0.03), rounds=3).ours
    assert timing.wall >= 0.03 > 3 * timing.cpu


def test_the_time_of_one_item() -> None:
    assert measure('batch', lambda: busy(0.02), items=10, rounds=3).ours.cpu == pytest.approx(0.002, rel=0.3)


def test_both_sides_are_called_in_turns_and_begin_equally_often() -> None:
    calls: list[str] = []
    compare(
        'turns', lambda: [calls.append('ours'), busy(0.02)], lambda: [calls.append('peer'), busy(0.02)], '', rounds=4
    )
    assert calls == ['ours', 'peer', *['ours', 'peer', 'peer', 'ours'] * 2]


def test_several_works_share_the_calls_of_one_peer() -> None:
    calls: list[str] = []
    works = {name: lambda name=name: [calls.append(name), busy(0.021)] for name in 'ab'}
    rows = compare_all(works, lambda: [calls.append('peer'), busy(0.042)], 'slow work', rounds=2)
    assert calls == ['a', 'b', 'peer', 'a', 'b', 'peer', 'peer', 'b', 'a']
    assert [row.quantity for row in rows] == ['a', 'b']
    assert [row.ratio for row in rows] == pytest.approx([2, 2], rel=0.2)


def test_slow_work_gets_few_rounds_and_fast_work_many_calls() -> None:
    assert measure('slow', lambda: busy(0.03), seconds=0.01).rounds == 3
    calls: list[int] = []
    measure('fast', lambda: calls.append(0), rounds=3)
    assert len(calls) > 1000


def test_garbage_is_not_collected_inside_a_call_and_is_collected_afterwards() -> None:
    states: list[bool] = []
    compare('states', lambda: states.append(gc.isenabled()), lambda: busy(0.001), '', rounds=3)
    assert not any(states) and gc.isenabled() and gc.get_freeze_count() == 0


def test_an_amount_has_a_ratio() -> None:
    assert Row('bytes a sample', Amount(200_000, 'B'), Amount(1_800_000, 'B')).ratio == 9
    assert Row('bytes a sample', Amount(200_000, 'B')).ratio is None


def test_a_row_that_was_not_measured_says_why() -> None:
    row = not_measured('loader', 'albumentations is not installed')
    assert row.ours is None and row.ratio is None and row.ratio_range is None
    assert row.note == 'not measured: albumentations is not installed'


@pytest.mark.parametrize(
    ('value', 'unit', 'text'),
    [
        (0.00373, 's', '3.73 ms'),
        (12.34, 's', '12.3 s'),
        (1234.5, 's', '1230 s'),
        (0.99999, 's', '1 s'),
        (2.5e-10, 's', '0.25 ns'),
        (196_608, 'B', '197 kB'),
        (0, 'B', '0 B'),
        (0.0319, 'px', '0.0319 px'),
    ],
)
def test_values_have_three_digits_and_a_prefix(value: float, unit: str, text: str) -> None:
    assert with_unit(value, unit) == text


def test_a_quick_run_has_a_smaller_budget() -> None:
    assert Options(quick=True).seconds < Options().seconds
    assert str(Timing(cpu=0.002, wall=0.5)) == '2 ms'
