"""Kullback-Leibler divergence between the predicted and the target bins of SimCC (https://arxiv.org/abs/2107.03332)."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss


@LOSSES.register_module()
class KLDiscretLoss(Loss):
    """Kullback-Leibler divergence: mean over the bins, sum over x, y and the faces, mean over the points.

    As in MMPose, it therefore grows with the batch size. The output is multiplied by `beta` before its softmax. With
    `softmax` the target also passes a softmax, multiplied by `label_beta`; without, it holds probabilities already.
    """

    kinds = ('bins',)
    ranges = {'beta': (0.01, 1000), 'label_beta': (0.01, 1000)}

    def __init__(self, beta: float = 10.0, softmax: bool = True, label_beta: float = 10.0) -> None:
        super().__init__()
        self.beta, self.softmax, self.label_beta = beta, softmax, label_beta
        self.comparable = softmax and beta == label_beta

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        log_p = (output * self.beta).log_softmax(-1)
        expected = (target * self.label_beta).log_softmax(-1) if self.softmax else target
        rows = F.kl_div(log_p, expected, reduction='none', log_target=self.softmax).mean(-1)
        rows = rows if weight is None else rows * weight[..., 0]
        return rows.sum() / output.shape[1]
