"""What a command imports: nothing of torch for an answer that needs none, and little else for a prediction."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import write_film
from processes import environment

import facelmk
from facelmk.cli import VERBS
from facelmk.datasets import SyntheticFaces
from facelmk.inference.runtime import is_available

ROOT = Path(__file__).parents[2]
HEAVY = ('torch', 'mmengine.runner', 'matplotlib', 'sympy', 'torch.distributed.fsdp', 'torch._dynamo', 'xtcocotools')
MISTAKES = {  # a command, and its exit code
    'predict none.jpg': 3,
    'predict quickstrat': 2,
    'predict p.png --model facelmk_nona': 2,
    'predict p.png --out z.xyz': 2,
    'predict none.mp4': 3,
    'predict p.png --model none.pth': 3,
    'predict p.png --model none.onnx': 3,
    'predict p.png --model quickstart --weights none.pth': 3,
    'train quickstrat': 2,
    'train quickstart --data none': 2,
    'train --data none': 3,
    'train --data . --model facelmk_nona': 2,
    'train quickstart --markup 300w': 2,
    'train quickstart --resume none.pth': 3,
    'train quickstart --cfg-options max_epochs': 2,
    'train hrnetv2_w18_wflw': 3,
    'test hrnetv2_w18_300w facelmk_nano': 3,
    'test quickstrat none.pth': 2,
    'test quickstrat facelmk_nano': 2,
    'test quickstart none.pth': 3,
    'calibrate fit quickstart none.pth --out a.pth': 3,
    'calibrate check quickstrat facelmk_nano': 2,
    'compare a.json b.json': 3,
    'config show quickstrat': 2,
    'config diff quickstart quickstrat': 2,
    'config check quickstrat': 2,
    'config translate none.py': 2,
    'data check none.csv': 3,
    'data convert none.csv --out a.json': 3,
    'data browse quickstrat': 2,
    'data stats none.json': 3,
    'data detect quickstrat --out boxes.json': 2,
    'export facelmk_nona': 2,
    'export facelmk_nano none.pth': 3,
    'models show facelmk_nona': 2,
    'models stats quickstrat': 2,
    'models publish none.pth a.pth': 3,
    'plot logs none': 3,
    'serve --model facelmk_nona': 2,
    'serve --model none.pth': 3,
    'serve --model none.onnx': 3,
    'serve --host no.such.host.invalid': 2,
}
ANSWERS = {  # these are answers, not mistakes
    '--help': 0,
    'models list': 0,
    **{f'{verb} --help': 0 for verb in VERBS},
    **{f'{verb} --hlep': 2 for verb in VERBS},
}
SCRIPT = """
import contextlib, io, json, runpy, sys
from facelmk.cli import main
results = {}
def run(function):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return function()
        except SystemExit as end:
            return end.code
commands, heavy, tools = map(json.loads, sys.argv[1:])
def loaded():
    return sorted(set(heavy) & sys.modules.keys())
for command in commands:
    results[command] = run(lambda: main(command.split())), loaded()
for tool, words in tools.items():
    sys.argv[1:] = words
    results[tool] = run(lambda: runpy.run_path(tool, run_name='__main__')), loaded()
print(json.dumps(results))
"""
TOOLS = {'tools/train.py': ['quickstrat'], 'tools/test.py': ['quickstart', 'none.pth']}


def run_python(script: str, *words: str, cwd: Path) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, '-c', script, *words], capture_output=True, text=True, cwd=cwd, env=environment()
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """Exit code and loaded packages after each command; one process runs them all."""
    folder = tmp_path_factory.mktemp('empty')
    (folder / 'p.png').write_bytes(b'no picture')
    commands, tools = [*ANSWERS, *MISTAKES], {str(ROOT / tool): words for tool, words in TOOLS.items()}
    return json.loads(run_python(SCRIPT, *map(json.dumps, (commands, HEAVY, tools)), cwd=folder))


def test_answers_and_mistakes_need_no_torch(results: dict[str, list]) -> None:
    assert len(results) == len(ANSWERS) + len(MISTAKES) + len(TOOLS)
    assert {command: packages for command, (_, packages) in results.items() if packages} == {}


def test_they_have_their_exit_codes(results: dict[str, list]) -> None:
    expected = ANSWERS | MISTAKES | {str(ROOT / 'tools/train.py'): 2, str(ROOT / 'tools/test.py'): 3}
    assert {command: code for command, (code, _) in results.items()} == expected


PREDICT = """
import json, sys
from facelmk.cli import main
assert main(['predict', 'face.png', '--device', 'cpu', '--out', 'out']) == 0
assert main(['predict', 'film.mp4', '--device', 'cpu', '--out', 'film.csv']) == 0
print(json.dumps(sorted(set(json.loads(sys.argv[1])) & sys.modules.keys())))
"""


@pytest.mark.skipif(not is_available(), reason='needs onnxruntime')
def test_the_shipped_model_predicts_without_torch(tmp_path: Path) -> None:
    picture = SyntheticFaces('wflw', 1, 1, size=160).face(0)['image']
    cv2.imwrite(str(tmp_path / 'face.png'), picture)
    write_film(tmp_path / 'film.mp4', [picture] * 3)
    printed = run_python(PREDICT, json.dumps([*HEAVY, 'mmengine']), cwd=tmp_path)
    assert json.loads(printed.splitlines()[-1]) == [] and (tmp_path / 'out/face.png').is_file()
    assert (tmp_path / 'film.csv').read_text().count('\n') == 4
    ((face,),) = (row['faces'] for row in json.loads((tmp_path / 'out/predictions.json').read_text()))
    (expected,) = facelmk.load(device='cpu')(picture)
    assert (
        np.abs(np.array(face['landmarks']) - expected.landmarks).max() < 0.05
    )  # crops move with the last bit of a box


LOAD = """
import json, sys
import numpy as np
import facelmk
model = facelmk.load(device='cpu')
model(np.zeros((60, 60, 3), np.uint8))
loaded = sorted(set(json.loads(sys.argv[1])) & sys.modules.keys())
import mmengine.model, mmengine.optim, torch
from facelmk.registry import MODEL_WRAPPERS, OPTIMIZERS
from facelmk.registry.sharding import import_sharding
import_sharding()
from torch.distributed.fsdp import FullyShardedDataParallel
real = mmengine.optim.ZeroRedundancyOptimizer, mmengine.model.MMFullyShardedDataParallel
assert issubclass(real[0], torch.optim.Optimizer) and issubclass(real[1], FullyShardedDataParallel)
assert real == (OPTIMIZERS.get('ZeroRedundancyOptimizer'), MODEL_WRAPPERS.get('MMFullyShardedDataParallel'))
print(json.dumps(loaded))
"""


@pytest.mark.slow
def test_load_leaves_out_what_only_training_uses(tmp_path: Path) -> None:
    """And a training in the same program gets it after all."""
    assert set(json.loads(run_python(LOAD, json.dumps(HEAVY), cwd=tmp_path))) == {'torch', 'mmengine.runner'}
