"""facelmk calibrate fit CONFIG CHECKPOINT --out FILE, facelmk calibrate check CONFIG CHECKPOINT."""

import argparse
import json
from typing import Any

from .options import (
    add_action,
    add_actions,
    add_config,
    add_plain,
    check_checkpoint,
    config_file,
    number_from,
    read_config,
)


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser, 'facelmk calibrate fit facelmk_nano best.pth --out calibrated.pth')
    purpose = 'fit the expected error of each landmark and the score of each face, and write them with the weights'
    command = 'facelmk calibrate fit facelmk_nano best.pth --out calibrated.pth'
    details = '. The faces are those of calibration_data in CONFIG; without it, those of val_dataloader'
    fit = add_action(actions, 'fit', _fit, purpose, command, details)
    add_config(fit)
    fit.add_argument('checkpoint', metavar='CHECKPOINT', help='a path, a URL, or the name of a config')
    fit.add_argument(
        '--out', required=True, metavar='FILE', help='the checkpoint to write; it may be the one that is read'
    )
    fit.add_argument(
        '--seed', type=number_from('--seed', 0), default=0, metavar='N', help='of the boxes without a face (default: 0)'
    )
    add_plain(fit)
    purpose = 'compare expected and measured errors on the test faces of CONFIG'
    command = 'facelmk calibrate check facelmk_nano calibrated.pth --plot reliability.png'
    check = add_action(actions, 'check', _check, purpose, command)
    add_config(check)
    check.add_argument('checkpoint', metavar='CHECKPOINT', help='a checkpoint that `facelmk calibrate fit` wrote')
    check.add_argument('--plot', metavar='FILE', help='draw expected against measured errors: .png, .svg, .pdf')
    check.add_argument('--json', action='store_true', help='print the numbers as json')
    add_plain(check)


def run(options: argparse.Namespace) -> None:
    options.act(options)


def _fit(options: argparse.Namespace) -> None:
    from ..files.atomic import check_output

    check_output(options.out)
    config_file(options)
    check_checkpoint(options.checkpoint)
    config = read_config(options, ['calibration'])
    from ..engine.calibration.run import calibration_of, fit_checkpoint

    landmarker = fit_checkpoint(config, options.checkpoint, options.out, options.seed)
    calibration = calibration_of(landmarker)
    powers = calibration.power
    print(f'{options.out}: calibrated. The powers are {powers.min():.2f} to {powers.max():.2f}')


def _check(options: argparse.Namespace) -> None:
    from ..files.atomic import check_output

    if options.plot:
        check_output(options.plot)
    config_file(options)
    check_checkpoint(options.checkpoint)
    config = read_config(options, ['test'])
    from ..engine.calibration import run as calibration
    from ..report.reliability import draw_reliability

    checked = calibration.check_checkpoint(config, options.checkpoint)
    figures = checked.figures()
    if options.plot:
        draw_reliability(checked.bins(), checked.score_bins(), options.plot, checked.threshold)
    print(json.dumps(figures, indent=2) if options.json else _text(figures, checked.threshold))


def _text(figures: dict[str, Any], threshold: float) -> str:
    """Return the numbers in words."""
    lowest, median, highest = (figures[f'{which}_score'] for which in ('lowest', 'median', 'highest'))
    rows = {
        'faces': f'{figures["faces"]}, in crops of {figures["crop_px"]} pixels',
        'mean error': f'{figures["mean_error_px"]:.3f} pixels of the crop',
        'mean expected error': f'{figures["mean_expected_error_px"]:.3f}',
        'calibration error': f'{figures["calibration_error_px"]:.3f} ({figures["calibration_error_share"]:.1%})',
        f'faces with an error above {threshold:.0%}': figures['failures'],
        'of them in the quarter with the lowest scores': figures['failures_in_lowest_quarter'],
        'scores': f'{lowest:.3f} to {highest:.3f}, median {median:.3f}',
        'calibration error of the scores': f'{figures["score_calibration_error"]:.3f}',
        'highest score of a box without a face': f'{figures["highest_score_of_misplaced_boxes"]:.3f}',
        'median score of such boxes': f'{figures["median_score_of_misplaced_boxes"]:.3f}',
    }
    return '\n'.join(f'{name:<48}{value}' for name, value in rows.items())
