"""The flip average of large batches on a CPU: two passes, and the numbers of one."""

import torch
from landmarkers import TINY

from facelmk.models.landmarker import CPU_BATCH
from facelmk.registry import MODELS


def test_a_full_batch_takes_two_passes_and_gives_the_same_numbers() -> None:
    torch.manual_seed(0)
    network, batches = MODELS.build(dict(TINY, flip_test=True)).eval(), []
    network.backbone.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    crops = torch.randn(CPU_BATCH, 3, 32, 32)
    with torch.no_grad():
        whole = network.output(crops)
        assert batches == [CPU_BATCH, CPU_BATCH]
        parts = torch.cat([network.output(part) for part in crops.split(CPU_BATCH - 1)])
    assert batches[2:] == [2 * (CPU_BATCH - 1), 2]
    assert torch.allclose(whole, parts, atol=1e-5)
