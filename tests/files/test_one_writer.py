"""All files of the package and its tools are written by `facelmk/files`: no other call in their source writes one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITERS = {  # methods and functions that write, rename, copy or link files, whatever they are called on
    *('write_text', 'write_bytes', 'imwrite', 'imwritemulti', 'savefig', 'imsave', 'savetxt', 'tofile', 'dumpfile'),
    *('savez', 'savez_compressed', 'memmap', 'open_memmap', 'save_file', 'save_checkpoint', 'to_csv', 'to_json'),
    *('rename', 'renames', 'copyfile', 'copyfileobj', 'copy2', 'copytree', 'move', 'make_archive', 'unpack_archive'),
    *('symlink', 'symlink_to', 'link', 'hardlink_to', 'link_to', 'mkstemp', 'NamedTemporaryFile', 'truncate'),
    *(
        'VideoWriter',
        'FileStorage',
        'FileHandler',
        'SummaryWriter',
        'urlretrieve',
        'extractall',
        'sendfile',
        'pwrite',
        'touch',
        'mkfifo',
        'fdopen',
        'mkdtemp',
    ),
}
OF_MODULES = {  # writers with a name that is harmless elsewhere, and what they are called on
    'save': {'torch', 'jit', 'np', 'numpy', 'onnx', 'image', 'Image', 'picture', 'plt'},
    'dump': {'json', 'json_tricks', 'pickle', 'yaml', 'mmengine', 'fileio', 'config', 'cfg'},
    'copy': {'shutil'},
    'open': {'os'},
    'write': {'os'},
}
WRITER_MODULES = ('atomic', 'write', 'checkpoint')  # their functions are what all should call
MODE_SECOND = {None, 'io', 'gzip', 'bz2', 'lzma', 'codecs', 'zipfile', 'tarfile', 'os'}  # what `open` belongs to
CACHE_OF_DRAWN_FACES = {'mkdtemp', 'open_memmap', 'os.replace', 'os.rename'}  # in a folder that is renamed at the end
ALLOWED = {  # file and call: the reason
    ('facelmk/synthetic/columns.py', 'open'): 'rows of a column in the folder of an unfinished cache',
    ('facelmk/files/atomic.py', 'open'): 'the one writer',
    ('facelmk/files/atomic.py', 'os.replace'): 'the one writer',
    ('facelmk/files/atomic.py', 'touch'): 'the one writer',
    ('facelmk/files/atomic.py', 'write_bytes'): 'the one writer',
    ('facelmk/files/atomic.py', 'os.open'): 'reads a folder, to flush it',
    ('facelmk/files/merging.py', 'os.replace'): 'moves complete files into an output folder',
    ('facelmk/files/merging.py', 'move'): 'moves complete files to another disk',
    ('facelmk/files/merging.py', 'os.link'): 'links to the other files of an output folder',
    ('facelmk/files/drafts.py', 'os.open'): 'opens a draft to lock it',
    ('facelmk/files/lock.py', 'os.open'): 'the lock file of a work folder',
    ('facelmk/files/lock.py', 'os.pwrite'): 'the lock file of a work folder',
    ('facelmk/files/download.py', 'open'): 'a download grows over several starts, then `commit` renames it',
    ('facelmk/files/download.py', 'truncate'): 'a download grows over several starts, then `commit` renames it',
    ('facelmk/datasets/tools/writers/common.py', 'symlink_to'): 'links in the draft of a converted set',
    ('facelmk/files/web.py', 'open'): 'opens an address',
    ('facelmk/cli/serve.py', 'open'): 'opens a browser',
    ('facelmk/inference/films/write.py', 'VideoWriter'): 'a film in a draft of `output_file` or `output_folder`',
    ('facelmk/inference/films/av_writer.py', 'open'): 'a film in a draft of `output_file` or `output_folder`',
    ('facelmk/engine/saving/checkpoint_hook.py', 'save_checkpoint'): "mmengine's, which writes by AtomicFiles",
    ('facelmk/checkpoint/write.py', 'torch.save'): 'into memory',
    ('facelmk/report/conclude.py', 'torch.save'): 'into memory',
    ('tools/label_portraits.py', 'savez'): 'into memory',
    ('facelmk/checkpoint/write.py', 'save_checkpoint'): 'its own function',
    ('facelmk/report/logs.py', 'savefig'): 'into memory',
    ('facelmk/report/reliability.py', 'savefig'): 'into the draft of `atomic_write`',
    ('facelmk/report/jitter_study.py', 'savefig'): 'into the draft of `atomic_write`',
    ('facelmk/report/record.py', 'to_json'): 'returns text',
    ('facelmk/report/conclude.py', 'to_json'): 'returns text',
    ('facelmk/cli/compare.py', 'to_json'): 'returns text',
    ('facelmk/cli/search.py', 'to_json'): 'returns text',
    ('facelmk/engine/search/run.py', 'open'): 'what a training prints, added while it runs',
    ('facelmk/datasets/tools/writers/npz.py', 'savez_compressed'): 'into memory',
    ('facelmk/export/int8.py', 'write_bytes'): 'a temporary file that ONNX Runtime reads',
    ('facelmk/synthetic/scanned/read.py', 'savez_compressed'): 'into memory',
    ('facelmk/files/turns.py', 'os.open'): 'the lock file of processes that take turns',
    (
        'facelmk/datasets/crops/build.py',
        'open',
    ): 'a crop cache grows; its index, written last, says how far it is complete',
    ('facelmk/datasets/crops/build.py', 'truncate'): 'removes what a killed process wrote behind the complete part',
    ('facelmk/datasets/crops/store.py', 'memmap'): 'reads',
    ('facelmk/datasets/pack_file.py', 'open'): 'a draft of `new_draft`, written block by block',
    ('facelmk/datasets/pack_file.py', 'touch'): 'a draft of `new_draft`',
    ('facelmk/bench/photographs.py', 'imwrite'): 'pictures in a temporary folder',
    ('facelmk/bench/scale.py', 'open'): 'annotations in a temporary folder',
    ('facelmk/files/progress.py', 'os.open'): 'the null device in place of a stdout without reader',
}


def name_of(call: ast.Call) -> tuple[str | None, str]:
    """What a call's function is looked up in (None: nothing, '': an expression), and its own name."""
    function = call.func
    if isinstance(function, ast.Attribute):
        base = function.value
        return getattr(base, 'id', getattr(base, 'attr', '')), function.attr
    return None, getattr(function, 'id', '')


def may_write(call: ast.Call, owner: str | None) -> bool:
    """Whether the mode of an `open` may write: Path.open takes it first, the others second."""
    first = int(owner in MODE_SECOND)
    modes = [keyword.value for keyword in call.keywords if keyword.arg == 'mode'] + call.args[first : first + 1]
    return bool(modes) and bool(set(str(getattr(modes[0], 'value', 'a'))) & set('wax+'))


def writes(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each call that may write a file, by name, with its line."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        owner, name = name_of(call)
        if (
            name in WRITERS
            or owner in OF_MODULES.get(name, ())
            or (
                name in ('open', 'ZipFile', 'TarFile', 'GzipFile')
                and may_write(call, owner if name == 'open' else None)
            )
            or (
                name == 'replace'
                and (owner == 'os' or (owner is not None and len(call.args) + len(call.keywords) == 1))
            )
        ):
            yield f'{owner}.{name}' if owner in ('os', 'torch') else name, call.lineno


def own_functions(tree: ast.AST) -> set[str]:
    """The names that a module imports from this package's writers: these are what all should call."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.level or 'facelmk' in str(node.module))
        and (node.module or '').split('.')[-1] in WRITER_MODULES
        for alias in node.names
    }


def test_only_the_writer_writes() -> None:
    seen: dict[tuple[str, str], int] = {}
    for path in sorted([*(ROOT / 'facelmk').rglob('*.py'), *(ROOT / 'tools').glob('*.py')]):
        tree, file = ast.parse(path.read_text(encoding='utf-8')), path.relative_to(ROOT).as_posix()
        ours = own_functions(tree)
        ours |= CACHE_OF_DRAWN_FACES if file.startswith('facelmk/synthetic/') else set()
        seen |= {(file, name): line for name, line in writes(tree) if name not in ours}
    unknown = [f'{file}:{seen[file, name]}: {name}' for file, name in seen if (file, name) not in ALLOWED]
    assert not unknown, 'write through facelmk.files.atomic: ' + ', '.join(unknown)
    unused = set(ALLOWED) - set(seen)
    assert not unused, f'these no longer write: {unused}'


@pytest.mark.parametrize(
    'source',
    [
        "open(path, 'w')",
        "open(path, mode='a')",
        "Path(path).open('xb')",
        "path.open('r+b')",
        'path.open(mode)',
        'path.write_text(text)',
        'Path(path).write_bytes(data)',
        'cv2.imwrite(path, image)',
        'torch.save(weights, path)',
        'np.save(path, array)',
        'np.savez(path, a=array)',
        'np.savetxt(path, array)',
        'array.tofile(path)',
        'json.dump(data, file)',
        'pickle.dump(data, file)',
        'figure.savefig(path)',
        'Image.save(path)',
        'shutil.copy(a, b)',
        'shutil.copyfile(a, b)',
        'shutil.move(a, b)',
        'os.rename(a, b)',
        'os.replace(a, b)',
        'path.rename(other)',
        'path.replace(other)',
        'path.touch()',
        'cv2.VideoWriter(path, code, 25, size)',
        "zipfile.ZipFile(path, 'w')",
        "gzip.open(path, 'wt')",
        'config.dump(path)',
        'os.open(path, os.O_WRONLY)',
    ],
)
def test_the_test_sees_each_way_to_write(source: str) -> None:
    assert list(writes(ast.parse(source))), source


def test_reading_is_no_writing() -> None:
    for source in ('open(path)', "open(path, 'rb')", 'path.open()', "text.replace('a', 'b')", 'json.dumps(data)'):
        assert not list(writes(ast.parse(source))), source
