"""The picture of a calibration: what was expected against what was measured."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import FacelmkError
from ..files.atomic import atomic_write
from ..metrics.calibration import Bin, calibration_error
from .logs import pyplot


def draw_reliability(errors: Sequence[Bin], scores: Sequence[Bin], out: str | Path, threshold: float) -> Path:
    """Draw bins of expected errors and of scores; a perfect calibration lies on the dashed lines."""
    plt = pyplot(show=False)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), layout='constrained')
    _panel(left, errors, 'expected error of a landmark in crop pixels', 'measured error')
    _panel(right, scores, 'score of a face', f'share of faces with an error below {100 * threshold:g} %')
    form = Path(out).suffix[1:] or 'png'
    try:
        atomic_write(Path(out), lambda file: figure.savefig(file, dpi=130, format=form))
    except ValueError as error:
        raise FacelmkError(f'{out}: this format cannot be written ({error}). Use .png, .svg or .pdf') from error
    plt.close(figure)
    return Path(out)


def _panel(panel, rows: Sequence[Bin], across: str, up: str) -> None:  # type: ignore[no-untyped-def]
    expected, measured = [row.expected for row in rows], [row.measured for row in rows]
    end = 1.05 * max(*expected, *measured)
    panel.plot([0, end], [0, end], '--', color='grey')
    panel.plot(expected, measured, marker='o')
    panel.set(xlabel=across, ylabel=up, xlim=(0, end), ylim=(0, end), aspect='equal')
    panel.set_title(f'calibration error {calibration_error(rows):.3f}', fontsize=10)
    panel.grid(alpha=0.3)
