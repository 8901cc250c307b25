"""Sets and batches that a run cannot be right with: said before training begins."""

from typing import Any

from mmengine.dist import all_gather_object, get_world_size
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from ...errors import TrainingFault
from ...metrics import merging

_NORMS = (nn.modules.batchnorm._BatchNorm,)


def check_sizes(loader: DataLoader, name: str) -> None:
    """Refuse a loader that gives no batch, or that has another data set on another rank."""
    samples, batch = len(loader.dataset), loader.batch_size  # type: ignore[arg-type]
    merging.check_sizes(all_gather_object(samples), name)
    if not samples:
        raise TrainingFault(
            f'{name}: its data set ({type(loader.dataset).__name__}) is empty (0 samples, batches of '
            f'{batch}). Check its ann_file and the subset or filter that it is asked for'
        )
    if not len(loader) and loader.drop_last:  # a rank may have no share of a small validation set
        raise TrainingFault(
            f'{name}: {samples} samples on {get_world_size()} ranks give no batch of {batch}, and '
            'drop_last=True leaves out what is less. Lower batch_size, or set drop_last=False'
        )


def without_single(runner: Runner, built: DataLoader, asked: DataLoader | dict) -> DataLoader:
    """The loader itself, or one without its last batch where that is a single sample and the network has BatchNorm."""
    batch, samples = built.batch_size, len(built.sampler)  # type: ignore[arg-type]
    single = batch is not None and not built.drop_last and batch > 1 and samples % batch == 1
    if not single or not any(isinstance(part, _NORMS) for part in runner.model.modules()):
        return built
    if samples == 1:
        raise TrainingFault(
            f'train_dataloader: {samples} sample a rank, batch_size={batch}; BatchNorm cannot be '
            'trained on batches of one sample. Use more samples, or a network without BatchNorm'
        )
    runner.logger.warning(
        f'The last batch of an epoch would be one sample ({samples} samples a rank, batch_size='
        f'{batch}), on which BatchNorm cannot be trained: it is left out. Another batch_size, or '
        'drop_last=True, says so in the config'
    )
    if not isinstance(asked, dict):
        return built
    again: dict[str, Any] = dict(asked, dataset=built.dataset, drop_last=True)
    return runner.build_dataloader(again, seed=runner.seed)


def warn_batch_size(runner: Runner) -> None:
    """Say so where fewer or more GPUs than the learning rate was chosen for make another batch."""
    scaling = (runner.cfg.get('auto_scale_lr') or {}) if runner.cfg else {}
    base, size = scaling.get('base_batch_size'), runner.train_dataloader.batch_size
    if not base or scaling.get('enable') or size is None:
        return
    ranks, steps = get_world_size(), getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    batch = ranks * size * steps
    if batch != base:
        runner.logger.warning(
            f'The learning rate is for a batch of {base}; {ranks} x {size} samples'
            f'{f" x {steps} steps" if steps > 1 else ""} make {batch}. Scale it by {batch / base:g} '
            'with --auto-scale-lr, or use as many GPUs as make that batch'
        )
