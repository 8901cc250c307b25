"""How many faces were seen."""

from mmengine.hooks import Hook

from facelmk.registry import HOOKS


@HOOKS.register_module()
class CountFaces(Hook):
    """Logs after each epoch how many faces training has seen."""

    def __init__(self):
        self.faces = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.faces += len(data_batch['data_samples']['id'])

    def after_train_epoch(self, runner):
        runner.logger.info(f'nine: {self.faces} faces seen')
