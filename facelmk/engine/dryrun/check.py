"""Check a config before a long run: report everything that is wrong or unusual, not only the first mistake."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from mmengine import Config

from ...config.relations import RELATIONS, TRAINING_RELATIONS
from ...config.schema import missing_keys, rows
from ...config.source import Source
from ...config.validate import mistakes
from ...datasets.base import SampleDataset
from ...registry import DATASETS, METRICS, MODELS
from .data_checks import check_best, check_overlap, check_schemes
from .findings import ERROR, NOTE, Finding, Parts, attempt
from .rehearsal import rehearse
from .run_checks import check_disk, check_hooks, check_learning_rate, check_schedule, check_weights

PHASES = ('train', 'val', 'test')


def check_config(
    config: Config, source: Source, fill_in: Callable[[], None], gpus: int = 1, step: bool = True
) -> list[Finding]:
    """All findings about a config; with `step`, of a training step and a validation batch on the CPU, too.

    `fill_in` completes the config, once its values have been checked.
    """
    findings = [Finding(ERROR, 'keys', str(mistake)) for mistake in mistakes(config, source)]
    try:
        fill_in()
    except Exception:
        if not findings:
            raise
        return findings
    missing = ['model'] if config.get('model') is None else []
    missing += [*missing_keys('train', config), *missing_keys('val', config)]
    if missing:
        findings.append(Finding(ERROR, 'keys', f'{source} lacks {", ".join(missing)}, which a run needs'))
    wrong = bool(findings)
    for subject, find in (*RELATIONS.items(), *TRAINING_RELATIONS.items()):
        try:
            findings += [Finding(ERROR, subject, str(mistake)) for mistake in find(config, source)]
        except Exception:
            if not wrong:  # values of the wrong kind, which are findings already
                raise
    parts = _build(config, findings)
    checks: dict[str, Callable[[], Iterable[Finding]]] = {
        'landmark scheme': partial(check_schemes, config, parts),
        'save_best': partial(check_best, config, parts),
        'train and test': partial(check_overlap, config, parts),
        'hooks': partial(check_hooks, config, parts),
        'weights': partial(check_weights, config),
        'learning rate': partial(check_learning_rate, config, gpus),
        'schedule': partial(check_schedule, config, parts, gpus),
        'disk': partial(check_disk, config, parts),
    }
    for subject, check in checks.items():
        findings += attempt(lambda check=check: list(check()), subject, 2, findings) or []  # type: ignore[misc]
    if step and parts.model is not None and {'train', 'val'} & set(parts.datasets):
        findings += rehearse(config, parts)
    return _without_repetitions(findings)


def _without_repetitions(findings: list[Finding]) -> list[Finding]:
    """The findings without those of parts that refuse a value which is a finding already."""
    known = [finding.message for finding in findings if finding.subject == 'keys']

    def is_known(message: str) -> bool:
        reason = message.rpartition(': ')[2]
        return '. Expected ' in reason and any(reason in other for other in known)

    return [
        finding for finding in dict.fromkeys(findings) if finding.subject == 'keys' or not is_known(finding.message)
    ]


def exit_code(findings: list[Finding]) -> int:
    """0 without an error; 2 for a wrong config, 3 where weights are missing, 4 where only the data are wrong."""
    return min((finding.code for finding in findings if finding.severity == ERROR), default=0)


def _build(config: Config, findings: list[Finding]) -> Parts:
    """Data sets, model and metrics; what cannot be built is a finding."""
    datasets: dict[str, SampleDataset] = {}
    for phase in PHASES:
        loader = config.get(f'{phase}_dataloader')
        if loader is None:
            if phase != 'test':
                findings.append(Finding(NOTE, f'{phase} data', f'the config has no {phase}_dataloader'))
        elif phase == 'test' and loader.get('dataset') == (config.get('val_dataloader') or {}).get('dataset'):
            datasets |= {'test': datasets['val']} if 'val' in datasets else {}
        else:
            dataset = _build_dataset(loader, phase, findings)
            datasets |= {} if dataset is None else {phase: dataset}
    model = None
    if config.get('model') is not None:
        model = attempt(partial(MODELS.build, config.model), 'model', 2, findings)
    metrics = [
        attempt(partial(METRICS.build, row), 'evaluator', 2, findings) for row in rows(config.get('val_evaluator'))
    ]
    return Parts(datasets, model, [metric for metric in metrics if metric is not None])


def _build_dataset(loader: dict[str, Any], phase: str, findings: list[Finding]) -> SampleDataset | None:
    part = dict(loader.get('dataset', {}))
    part.pop('cache', None)  # to draw the two faces that are needed takes less time than to fill a cache
    dataset = attempt(partial(DATASETS.build, part), f'{phase} data', 4, findings)
    if dataset is not None and len(dataset):
        findings.append(Finding(NOTE, f'{phase} data', f'{len(dataset)} {dataset.sample_name}s'))
    elif dataset is not None:
        findings.append(Finding(ERROR, f'{phase} data', 'the data set is empty', 4))
    return dataset
