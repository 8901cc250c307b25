"""Checks of data set and batch sizes before training starts."""

from typing import Any

from mmengine.dist import all_gather_object, get_world_size
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from ...errors import TrainingFault
from ...metrics import merging

_NORMS = (nn.modules.batchnorm._BatchNorm,)


def check_sizes(loader: DataLoader, name: str) -> None:
    """Refuse a loader that gives no batch, or whose data set has another size on another rank."""
    samples, batch = len(loader.dataset), loader.batch_size  # type: ignore[arg-type]
    merging.check_sizes(all_gather_object(samples), name)
    if not samples:
        raise TrainingFault(
            f'{name}: its data set ({type(loader.dataset).__name__}) is empty (0 samples, batches of '
            f'{batch}). Check its ann_file, and its subset or filter if it has one'
        )
    if not len(loader) and loader.drop_last:  # a rank may have no share of a small validation set
        raise TrainingFault(
            f'{name}: {samples} samples on {get_world_size()} ranks give no batch of {batch}, and '
            'drop_last=True drops a smaller one. Lower batch_size, or set drop_last=False'
        )


def drop_single_sample_batch(runner: Runner, built: DataLoader, config: DataLoader | dict) -> DataLoader:
    """Return the loader, or one with drop_last if its last batch is one sample and the network has BatchNorm."""
    batch, samples = built.batch_size, len(built.sampler)  # type: ignore[arg-type]
    single = batch is not None and not built.drop_last and batch > 1 and samples % batch == 1
    if not single or not any(isinstance(part, _NORMS) for part in runner.model.modules()):
        return built
    if samples == 1:
        raise TrainingFault(
            f'train_dataloader: {samples} sample a rank, batch_size={batch}. BatchNorm cannot be '
            'trained on a batch of one sample. Use more samples, or a network without BatchNorm'
        )
    runner.logger.warning(
        f'The last batch of an epoch would be one sample ({samples} samples a rank, batch_size='
        f'{batch}). BatchNorm cannot be trained on it, so it is dropped. To avoid this warning, set '
        'drop_last=True or another batch_size'
    )
    if not isinstance(config, dict):
        return built
    smaller: dict[str, Any] = dict(config, dataset=built.dataset, drop_last=True)
    return runner.build_dataloader(smaller, seed=runner.seed)


def warn_batch_size(runner: Runner) -> None:
    """Warn if the batch of all ranks is not the one that the learning rate was chosen for."""
    scaling = (runner.cfg.get('auto_scale_lr') or {}) if runner.cfg else {}
    base, size = scaling.get('base_batch_size'), runner.train_dataloader.batch_size
    if not base or scaling.get('enable') or size is None:
        return
    ranks, steps = get_world_size(), getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    batch = ranks * size * steps
    if batch != base:
        runner.logger.warning(
            f'The learning rate was chosen for a batch of {base}; this run has {ranks} x {size} samples'
            f'{f" x {steps} steps" if steps > 1 else ""} = {batch}. Scale the rate by {batch / base:g} '
            'with --auto-scale-lr, or change the number of GPUs'
        )
