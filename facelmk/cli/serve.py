"""facelmk serve [--model MODEL ...] [--host HOST] [--port PORT]."""

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from ..errors import FacelmkError
from .options import example, number_from

if TYPE_CHECKING:
    from ..serve import Server

MAX_PORT = 65535


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk serve --open')
    parser.add_argument(
        '--model',
        action='append',
        default=[],
        metavar='MODEL',
        help='a name of `facelmk models list`, a checkpoint, an exported file, or a config; several times for a choice '
        'of models, the first of them the default (default: the model that comes with facelmk). The models of the list '
        'that need no download can be chosen, too',
    )
    parser.add_argument(
        '--host', default='127.0.0.1', help='the address to serve at (default: 127.0.0.1, this machine alone)'
    )
    parser.add_argument(
        '--port', type=number_from('--port', 0), default=8000, metavar='N', help='0 is a free port (default: 8000)'
    )
    parser.add_argument(
        '--allow-host',
        action='append',
        default=[],
        metavar='NAME',
        help='a further name of this machine that browsers may use; IP addresses need no such option',
    )
    parser.add_argument(
        '--rate',
        type=number_from('--rate', 1, float),
        metavar='N',
        help='requests a second that one client may send (default: 1000)',
    )
    parser.add_argument('--detector', metavar='NAME', help='a detector, such as YuNet, or the file of its weights')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 (default: a GPU if there is one)')
    parser.add_argument('--open', action='store_true', help='open the page in the browser of this machine')
    parser.add_argument('-v', '--verbose', action='store_true', help='print each request')


def run(options: argparse.Namespace) -> None:
    if options.port > MAX_PORT:
        raise FacelmkError(f'--port {options.port}. Expected a number from 0 to {MAX_PORT}')
    _check_models(options.model)
    server = _server(options)
    try:
        for model in list(server.models.models.values())[: max(1, len(set(options.model)))]:
            server.models.predictor(model).detector  # noqa: B018  a missing detector is reported at the start, too
    except BaseException:
        server.socket.close()
        raise
    if server.is_public:
        print(
            f'facelmk: other machines that reach port {server.port} of this one can use the page. --host 127.0.0.1 '
            'keeps it to this machine',
            file=sys.stderr,
        )
    server.run(partial(_announce, server, options.open))
    print('stopped')


def _check_models(models: list[str]) -> None:
    """Refuse a model that does not exist, before torch is imported and before the port is taken."""
    from ..errors import MissingResource
    from ..inference.names import check_model
    from ..inference.runtime.find import find_exported, is_exported

    for model in models:
        if not is_exported(model):
            check_model(model)
        elif find_exported(model) is None:
            raise MissingResource(f'there is no exported file {model}. Write one: facelmk export MODEL --out FILE.onnx')


def _server(options: argparse.Namespace) -> 'Server':
    from dataclasses import replace

    from ..serve import Limits, ServedModels, Server
    from ..serve.models import open_model, sources_at_hand

    limits = Limits()
    if options.rate is not None:
        limits = replace(limits, rate=options.rate, burst=max(1, round(2 * options.rate)))
    models = ServedModels(
        sources_at_hand(options.model), partial(open_model, device=options.device, detector=options.detector)
    )
    return Server(models, options.host, options.port, limits, options.allow_host, options.verbose)


def _announce(server: 'Server', in_browser: bool) -> None:
    """Print the address once connections are accepted."""
    print(f'facelmk serves {", ".join(server.models.models)} at {server.url}  (Ctrl-C ends it)', flush=True)
    if in_browser:
        import webbrowser

        webbrowser.open(server.url)
