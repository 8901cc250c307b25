"""How far the chances of the bins are from the target's (https://arxiv.org/abs/2107.03332)."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss


@LOSSES.register_module()
class KLDiscretLoss(Loss):
    """Kullback-Leibler divergence, the mean over a row's bins, the sum over sides and faces, the mean over points.

    As in MMPose it therefore grows with the batch. Rows are sharpened by `beta`; with `softmax` the target is made
    chances as well, sharpened by `label_beta`; without, it holds chances already.
    """

    def __init__(self, beta: float = 10.0, softmax: bool = True, label_beta: float = 10.0) -> None:
        super().__init__()
        self.beta, self.softmax, self.label_beta = beta, softmax, label_beta
        self.comparable = softmax and beta == label_beta

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        found = (output * self.beta).log_softmax(-1)
        wanted = (target * self.label_beta).log_softmax(-1) if self.softmax else target
        rows = F.kl_div(found, wanted, reduction='none', log_target=self.softmax).mean(-1)
        rows = rows if weight is None else rows * weight[..., 0]
        return rows.sum() / output.shape[1]
