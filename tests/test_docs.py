"""The docs are true: Python blocks run, commands parse, links and paths exist, generated tables are up to date."""

import contextlib
import importlib
import importlib.util
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from facelmk import cli
from facelmk.bench import PARTS
from facelmk.config import config_names

ROOT = Path(__file__).parents[1]
MADE = {'_build', 'reference', 'project'}  # folders of docs/ that `make docs` writes
WRITTEN = [path for path in (ROOT / 'docs').rglob('*.md') if not MADE & {*path.relative_to(ROOT / 'docs').parts}]
PAGES = sorted([*ROOT.glob('*.md'), *WRITTEN])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
RUN_COMMANDS_OF = ('docs/extending.md',)  # the commands of other pages are only parsed
BLOCK = re.compile(r'^[ ]*```(\w*)\n(.*?)^[ ]*```', re.M | re.S)
FILE = re.compile(r'# file: (\S+)\n')
SETTINGS = [path for kind in ('.github/**/*.*', 'docker/*', '.pre-commit-config.yaml') for path in ROOT.glob(kind)]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding='utf-8')


def blocks(name: str, *languages: str) -> list[str]:
    """All code blocks of a page in the given languages."""
    return [code for language, code in BLOCK.findall(text(name)) if language in languages]


def prose(name: str) -> str:
    """A page without its code blocks."""
    return BLOCK.sub('', text(name))


def environment() -> dict[str, str]:
    return os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'MPLBACKEND': 'Agg'}


def pages_with(*languages: str) -> list[str]:
    return [name for name in NAMES if blocks(name, *languages)]


def pages_to_run() -> list[str]:
    """The pages with Python blocks; docs/index.md has those of README.md, which run there."""
    return [name for name in pages_with('python') if not only_of_readme(name)]


def only_of_readme(name: str) -> bool:
    return name != 'README.md' and set(blocks(name, 'python')) <= set(blocks('README.md', 'python'))


# -- code


@pytest.mark.parametrize('name', pages_to_run())
def test_python_blocks_run(name: str, tmp_path: Path) -> None:
    """All blocks run in order, in one process, in a new folder; a block that starts with `# file:` is written there."""
    script, paths = [], []
    for code in blocks(name, 'python'):
        file = FILE.match(code)
        if file:
            path = tmp_path / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code[file.end() :])
            paths.append(path)
        else:
            script.append(code)
    (tmp_path / 'docs').symlink_to(ROOT / 'docs')  # pages are read in the clone, and name a photograph there
    configs = [path.name for path in paths if 'custom_imports' not in path.read_text() and path.parent == tmp_path]
    script += [f'__import__("facelmk.config", fromlist=["load_config"]).load_config({config!r})' for config in configs]
    run([sys.executable, '-c', '\n'.join(script)], tmp_path)
    if name in RUN_COMMANDS_OF:
        for command in commands(name):
            run([sys.executable, '-m', 'facelmk.cli', *shlex.split(command, comments=True)[1:]], tmp_path)


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f'{command[1:4]}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}'


@pytest.mark.parametrize('name', pages_with('bash'))
def test_shell_blocks_are_shell(name: str) -> None:
    for code in blocks(name, 'bash'):
        done = subprocess.run(['bash', '-n'], input=code, text=True, capture_output=True)
        assert done.returncode == 0, f'{code}\n{done.stderr}'


# -- commands


def commands(name: str) -> list[str]:
    """The commands of a page that start facelmk or a tool, in its shell blocks and in its prose."""
    shell = '\n'.join(blocks(name, 'bash')).replace('\\\n', ' ').replace(' && ', '\n')
    lines = [re.sub(r'^docker run .* facelmk(:\w+)? ', 'facelmk ', line.strip()) for line in shell.splitlines()]
    lines += [code for code in re.findall(r'`([^`\n]+)`', prose(name)) if len(code.split()) > 2 and '...' not in code]
    starts = r'(\w+=(".*?"|\S+) )*(facelmk|python tools/\w+\.py|(bash )?tools/\w+\.sh) '
    return [line for line in lines if re.match(starts, line) and not re.search(r'--help', line)]


@pytest.fixture
def parse_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace each verb by a function that does nothing, so that only the options are parsed."""
    for verb in cli.VERBS:
        monkeypatch.setattr(importlib.import_module(f'facelmk.cli.{verb}'), 'run', lambda options: 0)


def test_the_check_detects_wrong_commands(parse_only: None) -> None:
    assert complaint('facelmk train quickstart --resume') == ''
    assert 'no option --resum-from' in complaint('facelmk train quickstart --resum-from x')
    assert 'no verb' in complaint('facelmk fly quickstart')
    assert 'required' in complaint('python tools/test.py quickstart')
    assert 'no config' in complaint('facelmk train hrnetv2_w81_wflw')
    assert 'usage' in complaint('tools/dist_train.sh quickstart')


@pytest.mark.parametrize('name', [name for name in NAMES if commands(name)])
def test_commands_parse(name: str, parse_only: None) -> None:
    problems = {command: complaint(command) for command in commands(name)}
    assert not {command: problem for command, problem in problems.items() if problem}


def complaint(command: str) -> str:
    """The problem of a command, or '' if there is none."""
    words = shlex.split(re.sub(r'\bbash (?=tools/)', '', command.partition(' > ')[0]), comments=True)
    while re.match(r'[A-Z_]+=', words[0]):
        words.pop(0)
    if words[0].endswith('.sh'):
        return script_complaint(words)
    tool = words[1] if words[0] == 'python' else None
    arguments = words[2:] if tool else words[1:]
    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr):
        try:
            code = run_tool(ROOT / tool, arguments) if tool else cli.main(arguments)
        except SystemExit as exit_:
            code = exit_.code
    return stderr.getvalue() or str(code) if code else config_complaint(arguments)


def run_tool(path: Path, arguments: list[str]) -> int:
    """The exit code of a tool that runs in this process, with `sys.argv` as from a shell."""
    argv, sys.argv = sys.argv, [str(path), *arguments]
    try:
        runpy.run_path(str(path), run_name='__main__')
    except SystemExit as exit_:
        return exit_.code or 0
    finally:
        sys.argv = argv
    return 0


def config_complaint(arguments: list[str]) -> str:
    """The problem of words that look like config names but are none."""
    looks_like_a_config = r'(deeppose|hrnet|quickstart|awing|rtmpose|unet|dla)\w*'
    candidates = [word for word in arguments if re.fullmatch(looks_like_a_config, word)]
    unknown = [word for word in candidates if word not in config_names()]
    return f'no config {unknown}' if unknown else ''


def script_complaint(words: list[str]) -> str:
    """The problem of a launcher's command: too few arguments, or a wrong option of train or test behind them."""
    path = ROOT / words[0]
    names = re.findall(r'usage: \$0([A-Z_ ]+)', path.read_text())[0].split()
    arguments, options = words[1 : 1 + len(names)], words[1 + len(names) :]
    if len(arguments) < len(names):
        return 'usage'
    verb = ['train', 'x'] if 'train' in path.name else ['test', 'x', 'y']
    return complaint(shlex.join(['facelmk', *verb, *options])) or config_complaint(arguments)


def options() -> set[str]:
    """All options of all verbs."""
    return {option for words in verbs() for option in re.findall(r'--[a-z][\w-]*', help_text(words))}


def options_of_scripts() -> set[str]:
    """All options of the scripts in tools/ and docs/."""
    scripts = [path.read_text() for folder in ('tools', 'docs') for path in (ROOT / folder).rglob('*.py')]
    return set(re.findall(r"add_argument\(\s*'(--[a-z][\w-]*)'", '\n'.join(scripts)))


def verbs() -> Iterator[list[str]]:
    """Yield every verb, then the subcommands in its help."""
    for verb in cli.VERBS:
        yield [verb]
        if listed := re.search(r'ACTION\n((?: {4}\w.*\n(?: {5,}.*\n)*)+)', help_text([verb])):
            yield from ([verb, word] for word in re.findall(r'^ {4}(\w+)', listed[1], re.M))


def help_text(words: list[str]) -> str:
    """What a verb prints for --help."""
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.suppress(SystemExit):
        cli.main([*words, '--help'])
    return stdout.getvalue()


def test_options_in_the_prose_exist() -> None:
    others = {
        '--threads',
        '--check',
        '--index-url',
        '--max-restarts',
        '--shm-size',
    }  # of other programs, or read from sys.argv
    known = options() | options_of_scripts() | others
    assert '--resume' in known and '--shape' in known and '--keys' in known
    for name in NAMES:
        for code in re.findall(r'`([^`\n]+)`', prose(name)):
            assert set(re.findall(r'(?<!\S)--[a-z][\w-]*', code)) <= known or 'pip' in code, f'{name}: {code}'


def test_verbs_in_the_prose_exist() -> None:
    for name in NAMES:
        for verb in re.findall(r'`facelmk (\w+)', prose(name)):
            assert verb in {*cli.VERBS, *cli.OTHER_NAMES}, f'{name}: {verb}'


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r'^([\w-]+):(?!=)', text('Makefile'), re.M))
    assert {'docs', 'release', 'coverage'} <= targets
    for name in NAMES:
        shell = '\n'.join(blocks(name, 'bash'))
        named = {*re.findall(r'`make ([a-z][\w-]*)', prose(name)), *re.findall(r'^make ([a-z][\w-]*)', shell, re.M)}
        assert named <= targets, name


def test_every_verb_is_in_the_readme() -> None:
    row = next(line for line in text('README.md').splitlines() if line.startswith('| commands'))
    assert all(verb in row for verb in cli.VERBS)


def test_the_docs_promise_no_missing_verb() -> None:
    for name in NAMES:
        for verb in {'predict', 'video', 'compare', 'bench', 'export', 'serve'} - {*cli.VERBS, *cli.OTHER_NAMES}:
            assert not re.search(rf'facelmk {verb}\b', text(name)), f'{name}: {verb}'
        if not hasattr(importlib.import_module('facelmk'), 'load'):
            assert 'facelmk.load(' not in text(name), name


def test_the_parts_that_the_readme_names_are_registered() -> None:
    from facelmk import registry

    table = text('README.md')
    for title, parts in [
        ('backbones', registry.BACKBONES),
        ('heads', registry.HEADS),
        ('codecs', registry.CODECS),
        ('losses', registry.LOSSES),
        ('metrics', registry.METRICS),
    ]:
        row = next(line for line in table.splitlines() if line.startswith(f'| {title} '))
        names = set(re.findall(r'`(\w+)`', row))
        assert names and names <= set(parts), title


# -- links, paths, pictures


def anchors(name: str) -> set[str]:
    """The anchors that GitHub makes from a page's headings."""
    titles = re.findall(r'^#+ (.+)$', prose(name), re.M)
    return {re.sub(r'[^\w\- ]', '', title.lower()).strip().replace(' ', '-') for title in titles}


@pytest.mark.parametrize('name', NAMES)
def test_link_targets_exist(name: str) -> None:
    for target in re.findall(r'\]\(([^)\s]+)\)', prose(name)):
        if re.match(r'https?://|mailto:', target):
            continue
        file, _, anchor = target.partition('#')
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), f'{name}: {target}'
        if anchor:
            assert anchor in anchors(path.resolve().relative_to(ROOT).as_posix()), f'{name}: {target}'


@pytest.mark.parametrize('name', NAMES)
def test_paths_exist(name: str) -> None:
    roots = r'(?:facelmk|configs|tools|tests|docs|requirements)/'
    for path in re.findall(rf'`({roots}[\w./*-]*)`', prose(name)):
        assert list(ROOT.glob(path.rstrip('/'))), f'{name}: {path}'


def test_the_readme_links_to_every_page() -> None:
    linked = set(re.findall(r'\]\((docs/\w+\.md)', text('README.md')))
    assert linked == {name for name in NAMES if name.startswith('docs/') and name.count('/') == 1}
    assert linked >= {'docs/index.md'}  # it has the tutorials


def test_the_readme_opens_with_a_picture_made_by_a_script() -> None:
    first = next(line for line in text('README.md').splitlines() if line and not line.startswith('#'))
    picture = re.fullmatch(r'!\[[^]]+\]\((docs/assets/landmarks\.jpg)\)', first)[1]
    assert (ROOT / picture).stat().st_size <= 200_000
    assert (ROOT / 'docs/assets/make_landmarks.py').is_file()


def test_pictures_are_small_and_come_from_scripts() -> None:
    scripts = ''.join(path.read_text() for path in (ROOT / 'docs/assets').glob('*.py'))
    for picture in {*(ROOT / 'docs/assets').glob('*')} - {*(ROOT / 'docs/assets').glob('*.py')}:
        if picture.is_file():
            assert picture.stat().st_size <= 200_000 and picture.name in scripts, picture


def test_no_machine_or_package_index_is_named() -> None:
    for name in [
        *NAMES,
        'Makefile',
        '.ci/run',
        'setup.py',
        'pyproject.toml',
        'requirements/constraints.txt',
        *(path.relative_to(ROOT).as_posix() for path in SETTINGS),
    ]:
        assert not re.search(r'/root/|/home/|/work/|extra-index|:\d+/simple', text(name)), name


# -- tables


@pytest.fixture(scope='module')
def zoo() -> ModuleType:
    return script('make_zoo')


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f'docs/{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_zoo_is_up_to_date(zoo: ModuleType) -> None:
    assert text('docs/zoo.md') == zoo.page(), 'run python docs/make_zoo.py'


def test_the_ladder_is_up_to_date() -> None:
    assert text('docs/ladder.md') == script('make_ladder').page(), 'run python docs/make_ladder.py'


def test_every_row_of_the_zoo_shows_its_papers(zoo: ModuleType) -> None:
    for name in config_names():
        section = text('docs/zoo.md').partition(f'\n### {name}\n')[2].partition('\n### ')[0]
        papers = [zoo.references()[key] for key in zoo.result(name)['bibtex']]
        assert papers and all(paper in section for paper in papers), name


def test_every_config_has_a_title_and_a_row(zoo: ModuleType) -> None:
    for name in config_names():
        assert zoo.title(name) and f'[`{name}`]' in text('docs/zoo.md')


def test_the_benchmarks_are_up_to_date() -> None:
    assert text('docs/benchmarks.md') == script('make_benchmarks').page(), 'run python docs/make_benchmarks.py'


def test_each_part_of_the_benchmark_has_a_section_with_its_command() -> None:
    page = text('docs/benchmarks.md')
    for part in PARTS:
        assert f'```bash\nfacelmk bench {part}\n```\n\n<!-- table: {part} -->' in page


def test_each_line_of_the_first_table_is_one_row_of_its_part() -> None:
    module = script('make_benchmarks')
    measured = {row['part'] for row in module.records() if row['ours']}
    for line in module.LINES:
        rows = len(module.matching(line))
        assert rows == 1 or (rows == 0 and (line.command or line.part not in measured)), line


def test_no_row_is_in_two_files_of_figures() -> None:
    rows = [(row['part'], row['quantity']) for row in script('make_benchmarks').records()]
    assert len(rows) == len(set(rows))


def test_no_figure_of_a_gpu_is_invented() -> None:
    page = text('docs/benchmarks.md')
    gpu = page.partition('## On a GPU')[2].partition('##')[0]
    assert all('not measured' in line for line in gpu.splitlines() if line.startswith('| ') and 'what' not in line)
