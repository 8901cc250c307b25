"""facelmk data convert SOURCE --to FORMAT --out PATH."""

import argparse
import json
from pathlib import Path

from ...errors import FacelmkError
from ..options import add_plain, keep_stdout_for_json
from .source import PHASES, add_source, check_source, only_set

PURPOSE = 'write a data set in another format: coco, csv, wflw, pts, lapa, cvat, labelme, labelstudio, dlib or npz'
EXAMPLE = 'facelmk data convert faces.csv --markup 300w --to coco --out faces.json'
ENDINGS = {
    'coco': '.json',
    'csv': '.csv',
    'wflw': '.txt',
    'cvat': '.xml',
    'labelstudio': '.json',
    'dlib': '.xml',
    'npz': '.npz',
}
FOLDERS = ('pts', 'lapa', 'labelme')


def arguments(convert: argparse.ArgumentParser) -> None:
    add_source(convert)
    convert.add_argument(
        '--to',
        choices=(*ENDINGS, *FOLDERS),
        metavar='FORMAT',
        help='coco (.json), csv (HRNet), wflw (.txt), cvat (.xml), labelstudio (.json), dlib (.xml), npz (.npz), '
        'pts, lapa, labelme (default: by the ending of --out)',
    )
    convert.add_argument(
        '--out', required=True, metavar='PATH', help='the file to write; for pts, lapa and labelme a folder'
    )
    convert.add_argument(
        '--to-markup', metavar='NAME', help='convert the points to this landmark scheme (wflw to 300w)'
    )
    convert.add_argument('--phase', choices=PHASES, default='train', help='the phase of a config (default: train)')
    convert.add_argument(
        '--pictures',
        choices=('link', 'copy', 'none'),
        default='link',
        help='link or copy the pictures into a folder of .pts, LaPa or labelme (default: link)',
    )
    convert.add_argument('--json', action='store_true', help='print {place, faces, lost} as json')
    add_plain(convert)


def run(options: argparse.Namespace) -> None:
    from ...files.atomic import check_output

    out = Path(options.out)
    format_name = options.to or next((name for name, ending in ENDINGS.items() if ending == out.suffix), None)
    if format_name is None:
        raise FacelmkError(f'--out {out} names no format. Add --to {", ".join((*ENDINGS, *FOLDERS))}')
    if format_name in ENDINGS and not out.suffix:
        out = out / f'{Path(options.source).stem}{ENDINGS[format_name]}'
    check_output(out, folder=format_name not in ENDINGS)
    check_source(options.source)
    from ...datasets.tools.convert import pictures_of, write_faces

    with keep_stdout_for_json(options.json):
        dataset = only_set(options, options.phase)()
        written = write_faces(dataset, format_name, out, options.to_markup, options.image_root, options.pictures)
    if options.json:
        print(json.dumps({'place': str(written.path), 'faces': written.faces, 'lost': written.lost}, indent=2))
        return
    print(f'{written.faces} faces in {written.path} ({format_name})')
    if format_name in ENDINGS and written.faces and not (out.parent / 'images').is_dir():
        root = Path(options.image_root) if options.image_root else pictures_of(dataset)
        if root.resolve() != out.parent.resolve():
            print(f'  names of pictures are relative to {root}: read the file with --image-root {root}')
    for lost in written.lost:
        print(f'  lost: {lost}')
