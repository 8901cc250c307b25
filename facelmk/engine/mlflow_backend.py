"""mmengine's backend of MLflow, for figures whose names MLflow refuses, such as FR@0.1/pose."""

import os
import re
from collections.abc import Mapping
from typing import Any

from mmengine.visualization.vis_backend import MLflowVisBackend as MMEngineBackend

from ..registry import VISBACKENDS

_REFUSED = re.compile(r'[^\w\-. :]')


def mlflow_name(name: str) -> str:
    """Return a name that MLflow takes: FR@0.1/pose becomes FR_0.1.pose.

    Its files cannot hold both NME and NME/pose, because a figure is a file and a slash makes a folder.
    """
    return _REFUSED.sub('_', name.replace('/', '.'))


@VISBACKENDS.register_module()
class MLflowVisBackend(MMEngineBackend):
    """mmengine's MLflowVisBackend, with names of figures that MLflow accepts.

    Its files are in a folder `mlruns` of their own, because MLflow reads every folder beside them.
    """

    def __init__(self, save_dir: str, *arguments: Any, **options: Any) -> None:
        super().__init__(os.path.join(save_dir, 'mlruns'), *arguments, **options)

    def add_scalar(self, name: str, value: Any, step: int = 0, **options: Any) -> None:
        super().add_scalar(mlflow_name(name), value, step, **options)

    def add_scalars(
        self, scalar_dict: Mapping[str, Any], step: int = 0, file_path: str | None = None, **options: Any
    ) -> None:
        figures = {mlflow_name(name): value for name, value in scalar_dict.items()}
        super().add_scalars(figures, step, file_path, **options)
