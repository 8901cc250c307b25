"""What a loss promises, and how a weight enters."""

from torch import Tensor, nn


class Loss(nn.Module):
    """loss(output, target, weight) is one number; `weight` broadcasts to the output.

    `comparable` says that output and target are of one kind, so that the loss is least where they are equal.
    """

    comparable: bool = True

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss of a batch."""
        raise TypeError(f'{type(self).__name__} must say what it measures')


def weighted(output: Tensor, target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Both sides times the weight, as MMPose weighs coordinates."""
    return (output, target) if weight is None else (output * weight, target * weight)


def sum_a_face(values: Tensor) -> Tensor:
    """The sum over everything in a face, the mean over faces."""
    return values.flatten(1).sum(1).mean()
