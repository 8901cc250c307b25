"""The base class of losses, and two functions that several losses use."""

from torch import Tensor, nn

from ...registry import Ranges


class Loss(nn.Module):
    """loss(output, target, weight) is a scalar; `weight` broadcasts to the output.

    `comparable` is True if output and target mean the same, so that the loss is least where they are equal.
    `kinds` are the kinds of codecs whose targets it compares; none means any.
    """

    comparable: bool = True
    kinds: tuple[str, ...] = ()
    ranges: Ranges = {}

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss of a batch."""
        raise TypeError(f'{type(self).__name__} must define forward()')


def weighted(output: Tensor, target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Output and target, both multiplied by the weight, as MMPose does with coordinates."""
    return (output, target) if weight is None else (output * weight, target * weight)


def sum_per_face(values: Tensor) -> Tensor:
    """Sum over the values of a face, mean over the faces."""
    return values.flatten(1).sum(1).mean()
