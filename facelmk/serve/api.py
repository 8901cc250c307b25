"""The addresses of the server: the page, /api/predict, /api/models and /api/health."""

import math
import time
from collections.abc import Mapping
from typing import Any

from .. import __version__
from ..errors import FacelmkError
from ..faces import Faces
from ..inference.pictures import read_picture
from ..inference.stream import PicturePredictor
from ..markups import MARKUPS
from .answers import Answer, Refusal, as_json, read_page
from .connection import Connection
from .guards import Rates, check_host, check_origin
from .limits import Limits
from .models import ServedModel, ServedModels
from .request import Request
from .worker import Worker

PREDICT, MODELS, HEALTH = '/api/predict', '/api/models', '/api/health'
PICTURE_TYPES = 'image/* or application/octet-stream'
DIGITS = {'landmarks': 2, 'box': 2, 'errors': 2, 'scores': 4, 'score': 4}  # after the point; two are 0.01 pixels


class Api:
    """Answers requests. `worker` runs the models, `names` are the names of this server."""

    def __init__(self, models: ServedModels, worker: Worker, limits: Limits, names: frozenset[str]) -> None:
        self.models, self.worker, self.limits, self.names = models, worker, limits, names
        self.rates = Rates(limits.rate, limits.burst)
        self.page = read_page()
        self.pictures = 0

    async def respond(self, connection: Connection, request: Request) -> Answer:
        """Return the answer to one request, or raise a Refusal."""
        self.rates.check(connection.client)
        check_host(request, self.names)
        methods = ('POST',) if request.path == PREDICT else ('GET', 'HEAD')
        if request.path not in {PREDICT, MODELS, HEALTH, *self.page}:
            raise Refusal(404, f'There is no {request.path[:100]}. The API has {PREDICT}, {MODELS} and {HEALTH}')
        if request.method not in methods:
            allowed = ', '.join(methods)
            raise Refusal(405, f'{request.path} takes {allowed}, not {request.method}', Allow=allowed)
        if request.path in self.page:
            return self.page[request.path]
        check_origin(request)
        if request.path == PREDICT:
            return await self._predict(connection, request)
        return as_json(self._models() if request.path == MODELS else self._health())

    def _models(self) -> dict[str, Any]:
        return {'default': self.models.default, 'models': self.models.to_list(), 'max_bytes': self.limits.body}

    def _health(self) -> dict[str, Any]:
        return {'status': 'ok', 'version': __version__, 'waiting': self.worker.busy, 'pictures': self.pictures}

    async def _predict(self, connection: Connection, request: Request) -> Answer:
        model, min_score = self.models.find(request.query.get('model')), _min_score(request.query)
        kind = request.header('Content-Type').partition(';')[0].strip().lower()
        if not kind.startswith('image/') and kind != 'application/octet-stream':
            raise Refusal(415, f'Content-Type: {kind[:100] or "missing"}. Expected {PICTURE_TYPES}')
        content = await connection.body(request)
        answer: Answer = await self.worker.run(connection.is_gone, self._faces, model, content, min_score)
        return answer

    def _faces(self, model: ServedModel, content: bytearray, min_score: float | None) -> Answer:
        """Decode the picture and find its faces: the part that takes time, in the thread of the worker."""
        start = time.perf_counter()
        try:
            image = read_picture(content)
        except FacelmkError as error:
            raise Refusal(422, _sentence(error)) from error
        predictor = self.models.predictor(model)
        faces = predictor(image, min_score=min_score)
        assert isinstance(faces, Faces)  # one picture was given
        self.pictures += 1
        found = faces.to_dict() | {'faces': [_rounded(face.to_dict()) for face in faces]}
        seconds = round(time.perf_counter() - start, 4)
        return as_json({'model': model.name, 'seconds': seconds, **found, 'markup': _describe(predictor)})


def _sentence(error: FacelmkError) -> str:
    """Return the message of a picture's error; the client knows which bytes it sent."""
    text = str(error).removeprefix('these bytes: ')
    return text[:1].upper() + text[1:]


def _min_score(query: Mapping[str, str]) -> float | None:
    """Return min_score of a query; refuse other names and wrong numbers."""
    if wrong := query.keys() - {'model', 'min_score'}:
        raise Refusal(400, f'{min(wrong)[:100]!r} is no part of the query. Expected model and min_score')
    if 'min_score' not in query:
        return None
    try:
        value = float(query['min_score'])
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise Refusal(400, f'min_score={query["min_score"][:50]}. Expected a number from 0 to 1')
    return value


def _rounded(face: dict[str, Any]) -> dict[str, Any]:
    return {key: _round(value, DIGITS[key]) if key in DIGITS else value for key, value in face.items()}


def _round(value: Any, digits: int) -> Any:
    if isinstance(value, list):
        return [_round(one, digits) for one in value]
    return None if value is None else round(float(value), digits)


def _describe(predictor: PicturePredictor) -> dict[str, Any]:
    """Return the landmark scheme of a predictor's faces: what the page colours and connects."""
    known = {predictor.markup.name: predictor.markup} | MARKUPS
    markup = known[predictor.face_markup]
    return {'name': markup.name, 'points': markup.size, 'parts': dict(markup.parts), 'lines': markup.lines}
