"""Predicted faces as objects of other packages, which are imported when they are needed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import FacelmkError, MissingResource
from .tables import Row, columns, table_rows


def to_pandas(rows: Iterable[Row]) -> Any:
    """Return a DataFrame with a row for each face; it has the columns of the csv file."""
    try:
        import pandas
    except ImportError as error:
        raise MissingResource(f'to_pandas needs pandas: pip install pandas ({error})') from error
    values = list(table_rows(rows))
    names = columns(0)
    return pandas.DataFrame(values, columns=columns((len(values[0]) - len(names)) // 3) if values else names)


def to_supervision(faces: Sequence[Any]) -> Any:
    """Return faces as `supervision.KeyPoints`: xy (N, K, 2), confidences (N, K), class 0; scores and ids as `data`."""
    try:
        import supervision
    except ImportError as error:
        raise MissingResource(f'to_supervision needs supervision: pip install supervision ({error})') from error
    if len({face.markup.name for face in faces}) > 1:
        raise FacelmkError('these faces have several landmark schemes. Expected one: use face.to_markup(NAME)')
    if not faces:
        return supervision.KeyPoints.empty()
    data = {'box': np.stack([face.box for face in faces])}
    if all(face.score is not None for face in faces):
        data['score'] = np.array([face.score for face in faces], np.float32)
    if all(face.id is not None for face in faces):
        data['tracker_id'] = np.array([face.id for face in faces])
    confidence = np.stack([face.scores for face in faces]).astype(np.float32)
    return supervision.KeyPoints(
        xy=np.stack([face.landmarks for face in faces]).astype(np.float32),
        class_id=np.zeros(len(faces), int),
        data=data,
        **{_name_of_confidence(supervision): confidence},
    )


def _name_of_confidence(supervision: Any) -> str:
    """Return the name of the argument: later versions of supervision call it `keypoint_confidence`."""
    fields = supervision.KeyPoints.__dataclass_fields__
    return 'keypoint_confidence' if 'keypoint_confidence' in fields else 'confidence'
