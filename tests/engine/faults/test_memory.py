"""A step that runs out of memory says which batch it was, and what to lower."""

import pytest
import torch
from toy_runs import Toy, faces, of_size, run

from facelmk.errors import TrainingFault

SHORT = [
    torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB.\nMore words.'),
    MemoryError(),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried "
        'to allocate 8 bytes.'
    ),
]


class Greedy(Toy):
    """Runs out of memory at the step `at`."""

    at, seen = 2, 0

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.seen += 1
        if self.seen == self.at:
            raise self.error
        return super().forward(inputs, data_samples, mode)


@pytest.mark.fault('G08')
@pytest.mark.parametrize('error', SHORT, ids=['GPU', 'Python', 'CPU'])
def test_training_says_the_batch_and_what_to_lower(error, tmp_path):
    runner = of_size(tmp_path, 16, 8, Greedy)
    runner.model.error = error
    with pytest.raises(
        TrainingFault,
        match=r'iteration 2: out of memory on cpu, train_dataloader.batch_size=8. Lower '
        'it, to 4 say; optim_wrapper.accumulative_counts=2',
    ) as told:
        runner.train()
    assert told.value.exit_code == 5 and told.value.__cause__ is error and 'More words' not in str(told.value)


def test_validation_says_so_too(tmp_path):
    runner = of_size(tmp_path, 4, 2, Greedy, validated=2)
    runner.model.error, runner.model.at = MemoryError(), 3
    with pytest.raises(TrainingFault, match='out of memory on cpu, val_dataloader.batch_size=2. Lower it, to 1 say'):
        runner.train()


def test_memory_that_the_machine_does_not_have(tmp_path):
    """A true allocation: no machine has an exabyte."""
    runner = run(tmp_path, data=faces(), epochs=1)
    runner.model.forward = lambda *_, **__: {'loss': torch.empty(2**60, dtype=torch.uint8).float().sum()}
    with pytest.raises(TrainingFault, match='iteration 1: out of memory on cpu, train_dataloader.batch_size=2'):
        runner.train()


def test_other_errors_stay_as_they_are(tmp_path):
    runner = of_size(tmp_path, 4, 2, Greedy)
    runner.model.error = RuntimeError('a bug')
    with pytest.raises(RuntimeError, match='^a bug$'):
        runner.train()
