"""MMPose's own network, training step and prediction, where MMPose is installed."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData

from ...registry import OPTIMIZERS


class MMPoseNetwork:
    """The network of one of MMPose's configs, not trained, with its optimizer and a batch of its own kind."""

    def __init__(self, config: str, batch: dict[str, Any]) -> None:
        import mmpose  # in functions, because facelmk does not need it
        from mmpose.registry import KEYPOINT_CODECS, MODELS
        from mmpose.utils import register_all_modules

        register_all_modules()
        init_default_scope('mmpose')
        folder = Path(mmpose.__file__).parent / '.mim' / 'configs' / 'face_2d_keypoint'
        settings = Config.fromfile(folder / config)
        settings.model.backbone.init_cfg = None
        torch.manual_seed(0)
        self.network = MODELS.build(settings.model).train()
        options = dict(settings.optim_wrapper.optimizer)
        kind = OPTIMIZERS.get(options.pop('type'))
        self.wrapper = OptimWrapper(kind(self.network.parameters(), **options))
        self.name = f'MMPose {mmpose.__version__}'
        codec = KEYPOINT_CODECS.build(settings.codec)
        points = batch['data_samples']['points'].numpy()
        samples = [self._sample(codec, one[None], batch['inputs'].shape[-1]) for one in points]
        self.batch = dict(inputs=list(batch['inputs']), data_samples=samples)

    @staticmethod
    def _sample(codec: Any, points: np.ndarray, side: int) -> Any:
        from mmpose.structures import PoseDataSample

        encoded = codec.encode(points.astype(np.float32), np.ones(points.shape[:2], np.float32))
        middle, scale = np.full(2, side / 2), np.full(2, float(side))
        sample = PoseDataSample(
            metainfo=dict(
                flip_indices=list(range(points.shape[1])),
                input_size=(side, side),
                input_center=middle,
                input_scale=scale,
            )
        )
        labels = dict(keypoint_weights=torch.from_numpy(encoded['keypoint_weights']))
        if 'heatmaps' in encoded:
            sample.gt_fields = PixelData(heatmaps=torch.from_numpy(encoded['heatmaps']))
        else:
            labels['keypoint_labels'] = torch.from_numpy(encoded['keypoint_labels'])
        sample.gt_instance_labels = InstanceData(**labels)
        sample.gt_instances = InstanceData(bboxes=np.array([[0.0, 0, side, side]]), bbox_scores=np.ones(1))
        return sample

    def step(self) -> None:
        """Train a step and read each logged number, as mmengine's message hub does."""
        for number in self.network.train_step(self.batch, self.wrapper).values():
            number.item()

    def forward(self) -> Any:
        """Return the output for the batch."""
        with torch.no_grad():
            data = self.network.data_preprocessor(self.batch, False)
            return self.network.head.forward(self.network.extract_feat(data['inputs']))

    def predict(self) -> Any:
        """Return the predictions for the batch, with MMPose's flip test."""
        with torch.no_grad():
            return self.network.test_step(self.batch)
