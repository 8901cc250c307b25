"""Files that write a canary if a reader runs their code: no reader of facelmk does, and ordinary readers do."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from facelmk.errors import FacelmkError

from .payloads import PAYLOADS, Calls, Stage, in_averaged_weights, in_the_optimizer, train, write_canary


@pytest.fixture(scope='module')
def state(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The state of a short run, which the payloads are added to."""
    folder = tmp_path_factory.mktemp('run')
    train(folder, 1)
    return torch.load(folder / 'epoch_1.pth', weights_only=True)


@pytest.mark.parametrize(
    'payload',
    [
        pytest.param(payload, id=payload.__name__, marks=[pytest.mark.fault(*ids)] if ids else [])
        for payload, ids in PAYLOADS.items()
    ],
)
def test_no_reader_runs_what_a_file_holds(
    payload: Callable, state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path / 'home'))
    canary = tmp_path / 'canary'
    for i, evil in enumerate((Calls(write_canary, str(canary)), Calls(os.system, f'touch {canary}'))):
        folder = tmp_path / str(i)
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        prepared = payload(Stage(folder, canary, evil, state))
        case = next(prepared) if isinstance(prepared, Iterator) else prepared
        for number, read in enumerate(case.readers):
            with suppress(FacelmkError):  # a refusal is right, any other error is not
                read()
            assert not canary.exists(), number
        case.control()
        assert canary.exists()  # the same payload does fire
        canary.unlink()
        if isinstance(prepared, Iterator):
            assert next(prepared, None) is None
    assert len(PAYLOADS) == 12


@pytest.mark.parametrize(
    'payload',
    [
        pytest.param(in_averaged_weights, marks=pytest.mark.fault('D03')),
        pytest.param(in_the_optimizer, marks=pytest.mark.fault('D04')),
    ],
)
def test_what_a_pickle_calls_is_named(payload: Callable, state: dict[str, Any], tmp_path: Path) -> None:
    *readers, last = payload(Stage(tmp_path, tmp_path / 'canary', Calls(os.system, 'true'), state)).readers
    for read in readers:
        with pytest.raises(FacelmkError, match=r'epoch_1.pth is not loaded: it calls posix.system'):
            read()
    assert last() is None  # there is nothing in the folder to go on from
