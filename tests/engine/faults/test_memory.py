"""A step that runs out of memory raises an error with the batch size and a smaller one."""

import pytest
import torch
from toy_runs import Toy, faces, of_size, run

from facelmk.errors import TrainingFault

OUT_OF_MEMORY = [
    torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB.\nMore words.'),
    MemoryError(),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried "
        'to allocate 8 bytes.'
    ),
]


class Greedy(Toy):
    """Run out of memory at the step `at`."""

    at, steps = 2, 0

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.steps += 1
        if self.steps == self.at:
            raise self.error
        return super().forward(inputs, data_samples, mode)


@pytest.mark.fault('G08')
@pytest.mark.parametrize('error', OUT_OF_MEMORY, ids=['GPU', 'Python', 'CPU'])
def test_out_of_memory_in_training_names_the_batch_size_and_half_of_it(error, tmp_path):
    runner = of_size(tmp_path, 16, 8, Greedy)
    runner.model.error = error
    facts = r'iteration 2: .*cpu.*train_dataloader\.batch_size=8\b.*\b4\b.*optim_wrapper\.accumulative_counts=2'
    with pytest.raises(TrainingFault, match=facts) as caught:
        runner.train()
    assert caught.value.exit_code == 5 and caught.value.__cause__ is error and 'More words' not in str(caught.value)


def test_out_of_memory_in_validation_names_its_batch_size(tmp_path):
    runner = of_size(tmp_path, 4, 2, Greedy, validated=2)
    runner.model.error, runner.model.at = MemoryError(), 3
    with pytest.raises(TrainingFault, match=r'cpu.*val_dataloader\.batch_size=2\b.*\b1\b'):
        runner.train()


def test_a_real_allocation_that_is_too_large(tmp_path):
    """No machine has an exabyte."""
    runner = run(tmp_path, data=faces(), epochs=1)
    runner.model.forward = lambda *_, **__: {'loss': torch.empty(2**60, dtype=torch.uint8).float().sum()}
    with pytest.raises(TrainingFault, match=r'iteration 1: .*cpu.*train_dataloader\.batch_size=2\b'):
        runner.train()


def test_other_errors_are_unchanged(tmp_path):
    runner = of_size(tmp_path, 4, 2, Greedy)
    runner.model.error = RuntimeError('a bug')
    with pytest.raises(RuntimeError, match='^a bug$'):
        runner.train()
