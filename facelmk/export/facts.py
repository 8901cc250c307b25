"""What goes into the metadata of an exported file."""

import re
from pathlib import Path
from typing import Any

from .. import __version__
from ..codecs import Codec, HRNetInteger
from ..datasets import CropFace, LoadImage, PackFace, ShareLandmarks, TightBox, WeighPoints, WingBox
from ..errors import FacelmkError
from ..inference.detectors.facelmk_detector import FacelmkDetector
from ..inference.runtime.facts import CropRule, Facts, SceneRule
from ..models import FaceDetector, FaceLandmarker
from .graph import Graph

# Without known landmarks, as in prediction, these change neither the picture nor the box.
WITHOUT_EFFECT = (LoadImage, PackFace, ShareLandmarks, TightBox, WeighPoints, WingBox)


def landmark_facts(
    landmarker: FaceLandmarker, graph: Graph, pipeline: Any, name: str, weights: str, digest: str, card: str
) -> Facts:
    """Return the facts of a network for landmarks, whose crops come from this validation pipeline."""
    crop = crop_rule(pipeline)
    return Facts(
        kind='landmarks',
        markup=landmarker.markup,
        crop=crop,
        to_photo=_to_photo(landmarker.codec),
        flip_average=landmarker.flip_test,
        inputs=f'crops (B, 3, {crop.size}, {crop.size}), uint8, BGR',
        **_common(landmarker, graph, name, weights, digest, card),
    )


def detector_facts(search: FacelmkDetector, graph: Graph, name: str, weights: str, digest: str, card: str) -> Facts:
    """Return the facts of a detector, which searches pictures as this object in torch does."""
    network, rule = search.network, search.box_rule
    codec, multiple = network.codec, network.backbone.multiple
    return Facts(
        kind='boxes',
        scene=SceneRule(
            sizes=search.sizes,
            multiple=multiple,
            score=search.score,
            overlap=search.overlap,
            least_score=codec.least_score,
            most_overlap=codec.most_overlap,
            most_boxes=codec.most_boxes,
            shift=rule.shift,
            factor=rule.factor,
        ),
        inputs=f'scenes (B, 3, H, W), uint8, BGR; H and W are multiples of {multiple}',
        **_common(network, graph, name, weights, digest, card),
    )


def _common(
    model: FaceLandmarker | FaceDetector, graph: Graph, name: str, weights: str, digest: str, card: str
) -> dict[str, Any]:
    mean, std = (tuple(values.flatten().tolist()) for values in (graph.mean, graph.std))
    codec = type(model.codec).__name__
    return dict(
        name=name, codec=codec, outputs=graph.names, mean=mean, std=std, version=__version__, card=card,
        weights=weights, weights_sha256=digest,
    )  # fmt: skip


def crop_rule(pipeline: Any) -> CropRule:
    """Return how the validation pipeline cuts a box; refuse steps that a runtime would leave out."""
    crops = [step for step in pipeline if isinstance(step, CropFace)]
    others = [type(step).__name__ for step in pipeline if not isinstance(step, (CropFace, *WITHOUT_EFFECT))]
    if len(crops) != 1 or others:
        raise FacelmkError(
            f'val_pipeline has {len(crops)} CropFace and {", ".join(others) or "nothing else"}. Expected one CropFace '
            'and no step that changes pixels: an exported model could not repeat it. Put it into the network, or '
            'remove it from val_pipeline'
        )
    crop = crops[0]
    draws = {name: getattr(crop, name) for name in ('flip', 'rotate', 'shift')}
    if any(draws.values()) or tuple(crop.scale) != (1.0, 1.0):
        raise FacelmkError(
            f'CropFace in val_pipeline draws random numbers: {draws}, scale={crop.scale}. Expected none. Remove '
            'these arguments from val_pipeline'
        )
    return CropRule(crop.size, crop.padding, crop.span, crop.integer)


def _to_photo(codec: Codec) -> str:
    if isinstance(codec, HRNetInteger):
        return 'round' if codec.rounded else 'truncate'
    if type(codec).to_photo is not Codec.to_photo:
        raise FacelmkError(
            f'the codec {type(codec).__name__} has a to_photo() of its own, which no exported file can hold. Move its '
            'arithmetic into decode(), which becomes part of the graph'
        )
    return 'exact'


def card_beside(path: Path) -> str:
    """Return the card of a weights file: the text NAME.md beside it, or README.md of its folder; '' without both."""
    for card in (path.with_suffix('.md'), path.with_name('README.md')):
        if card.is_file():
            text = card.read_text(encoding='utf-8', errors='replace')
            return text if re.search(re.escape(path.stem), text) else ''
    return ''
