"""Two ranks on one machine over gloo, started by torchrun, as two machines, and by Slurm."""

import json
import os
import re
import sys

import pytest
import torch
from mmengine import Config

from facelmk.engine.ranks import _store_after_restart, join_ranks
from facelmk.errors import FacelmkError

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason='with GPUs the ranks use NCCL')
SRUN = """#!/usr/bin/env bash
# a stand-in for Slurm's srun: two tasks on one node
while [ "$1" != python ]; do shift; done
export SLURM_NTASKS=2 SLURM_NODELIST=localhost SLURM_JOB_ID=1
for task in 0 1; do SLURM_PROCID=$task SLURM_LOCALID=$task "$@" & jobs="${jobs:-} $!"; done
code=0
for job in $jobs; do wait "$job" || code=$?; done
exit $code
"""


def nme(text):
    """Return the NME of the last validation or test in a log."""
    return re.findall(r'NME: ([\d.]+)', text)[-1]


@pytest.fixture(scope='module')
def pair(tmp_path_factory, tool, tiny, port):
    """The folder and the output of a training on two ranks."""
    folder = tmp_path_factory.mktemp('pair')
    printed = tool(
        'dist_train.sh', 'quickstart', 2, '-v', '--work-dir', folder, *tiny(epochs=1), cwd=folder, PORT=port()
    )
    return folder, printed


def test_two_ranks_train(pair):
    folder, printed = pair
    assert 'Epoch(train) [1][3/3]' in printed  # 36 faces, 18 a rank, in batches of 8
    assert len(list(folder.glob('*/*.log'))) == 1 and (folder / 'epoch_1.pth').is_file()
    assert nme(printed) and not re.search('WARN.*destroy_process_group', printed)


def test_a_test_on_two_ranks_has_the_figures_of_one_rank(pair, tool, tiny, port, tmp_path):
    folder, printed = pair
    tool(
        'dist_test.sh',
        'quickstart',
        folder / 'epoch_1.pth',
        2,
        '--work-dir',
        'two',
        '--dump',
        'two/dump.json',
        *tiny(),
        cwd=tmp_path,
        PORT=port(),
    )
    tool(
        'test.py',
        'quickstart',
        folder / 'epoch_1.pth',
        '--work-dir',
        'one',
        '--dump',
        'one/dump.json',
        *tiny(),
        cwd=tmp_path,
    )
    two, one = (json.loads((tmp_path / name / 'metrics.json').read_text()) for name in ('two', 'one'))
    assert (two['ranks'], one['ranks'], two['faces']) == (2, 1, 17)
    # other batches may round differently in convolutions; equal predictions have equal figures to 1e-9
    assert two['metrics'] == pytest.approx(one['metrics'], rel=1e-5)
    assert (
        f'{two["metrics"]["NME"]:.3f}' == f'{float(nme(printed)):.3f}'
    )  # the weights in the checkpoint are the validated ones
    ids = [[face['id'] for face in json.loads((tmp_path / name / 'dump.json').read_text())] for name in ('two', 'one')]
    assert ids[0] == ids[1] and len(set(ids[0])) == 17


@pytest.mark.slow
def test_two_launches_work_as_two_machines(tool, tiny, port, launch, tmp_path):
    meeting = dict(NNODES=2, MASTER_ADDR='127.0.0.1', PORT=port())
    other = launch(
        'dist_train.sh', 'quickstart', 1, '--work-dir', 'out', *tiny(epochs=1), cwd=tmp_path, NODE_RANK=1, **meeting
    )
    printed = tool(
        'dist_train.sh',
        'quickstart',
        1,
        '-v',
        '--work-dir',
        'out',
        *tiny(epochs=1),
        cwd=tmp_path,
        NODE_RANK=0,
        **meeting,
    )
    assert other.wait(60) == 0, (tmp_path / 'launched.txt').read_text()
    assert 'Epoch(train) [1][3/3]' in printed and nme(printed)
    assert len(list(tmp_path.glob('out/*/*.log'))) == 1


@pytest.mark.slow
def test_slurm_scripts_run_under_srun(tool, tiny, port, tmp_path):
    srun = tmp_path / 'bin' / 'srun'
    srun.parent.mkdir()
    srun.write_text(SRUN)
    srun.chmod(0o755)
    path = os.pathsep.join([str(srun.parent), os.path.dirname(sys.executable), os.environ['PATH']])
    slurm = dict(PATH=path, MASTER_PORT=port(), GPUS='2')
    printed = tool('slurm_train.sh', 'part', 'job', 'quickstart', 'out', '-v', *tiny(epochs=1), cwd=tmp_path, **slurm)
    assert 'Epoch(train) [1][3/3]' in printed
    slurm['MASTER_PORT'] = port()
    tool(
        'slurm_test.sh',
        'part',
        'job',
        'quickstart',
        'out/epoch_1.pth',
        '--work-dir',
        'tested',
        *tiny(),
        cwd=tmp_path,
        **slurm,
    )
    entry = json.loads((tmp_path / 'tested' / 'metrics.json').read_text())
    assert entry['ranks'] == 2 and f'{entry["metrics"]["NME"]:.3f}' == f'{float(nme(printed)):.3f}'


@pytest.mark.slow
@pytest.mark.fault('I15')
def test_a_config_in_a_folder_with_a_space(tool, tiny, port, tmp_path):
    config = tmp_path / 'a b' / 'cfg.py'
    config.parent.mkdir()
    config.write_text(
        'from mmengine.config import read_base\n\nwith read_base():\n    from facelmk.configs.quickstart import *\n'
    )
    printed = tool(
        'dist_train.sh', 'a b/cfg.py', 2, '-v', '--work-dir', 'a b/out', *tiny(epochs=1), cwd=tmp_path, PORT=port()
    )
    assert 'Epoch(train) [1][3/3]' in printed and nme(printed)
    assert (config.parent / 'out' / 'epoch_1.pth').is_file()


def test_restarted_ranks_do_not_see_the_values_of_the_dead_ones(port, monkeypatch):
    store = torch.distributed.TCPStore('127.0.0.1', port(), is_master=True)
    store.set('rank_0', 'gone')
    for name, value in dict(
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=store.port,
        RANK=0,
        WORLD_SIZE=2,
        TORCHELASTIC_USE_AGENT_STORE=True,
        TORCHELASTIC_RESTART_COUNT=0,
    ).items():
        monkeypatch.setenv(name, str(value))
    assert _store_after_restart(5) == {}
    for count in (1, 2):
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', str(count))
        meeting = _store_after_restart(5)
        assert (meeting['rank'], meeting['world_size']) == (0, 2) and not meeting['store'].check(['rank_0'])
        meeting['store'].set('rank_0', 'here')


@pytest.mark.parametrize(
    ('launcher', 'missing'), [('pytorch', 'WORLD_SIZE'), ('slurm', 'SLURM_PROCID'), ('mpi', 'OMPI_COMM_WORLD_RANK')]
)
def test_a_launcher_without_its_variables_is_refused(launcher, missing, monkeypatch):
    monkeypatch.delenv(missing, raising=False)
    with pytest.raises(FacelmkError, match=f'{missing}.*dist_train.sh'):
        join_ranks(launcher, Config())


@pytest.mark.parametrize(
    ('script', 'arguments'), [('dist_train.sh', 1), ('dist_test.sh', 2), ('slurm_train.sh', 3), ('slurm_test.sh', 3)]
)
def test_scripts_print_their_usage(script, arguments, tool, tmp_path):
    assert 'usage:' in tool(script, *['x'] * arguments, cwd=tmp_path, code=2)
