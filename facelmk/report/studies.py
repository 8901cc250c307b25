"""The tests of the same faces in other boxes, which follow a test on request."""

from mmengine.runner import Runner

from ..engine.recrop import TightBox, only_box, predict_in_boxes
from .box_study import box_study
from .collect import collect_results
from .jitter_study import COUNT, jitter_study, jittered_boxes
from .study import Study


def run_studies(runner: Runner, boxes: str | None = None, jitter: bool = False) -> list[Study]:
    """Return the studies of a test: of its `boxes`, described in words, and of the jitter. All ranks must call it."""
    if boxes is None and not jitter:
        return []
    results, studies = collect_results(runner), list[Study]()
    if boxes is not None:
        tight = predict_in_boxes(runner, only_box, 1, TightBox())
        studies.append(box_study(results, tight[:, 0], boxes))
    if jitter:
        studies.append(jitter_study(results, predict_in_boxes(runner, jittered_boxes, COUNT)))
    return studies
