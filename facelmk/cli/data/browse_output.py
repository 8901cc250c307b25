"""What facelmk data browse writes: a page, or pictures; and what it shows on the screen."""

import argparse
import json
from pathlib import Path
from typing import Any


def check_target(output_dir: str | None, target: str | Path) -> None:
    """Refuse a page, or a folder of pictures, that cannot be written, before the data is read."""
    from ...files.atomic import check_output
    from ...report.page import check_page

    if output_dir:
        check_output(output_dir, folder=True)
    else:
        check_page(target)


def write_samples(options: argparse.Namespace, dataset: Any, target: str | Path, mode: str, source: str) -> None:
    """Write the page of a data set, or its pictures with --output-dir, and say where."""
    from ...report.page.frame import size_text

    pictures = options.output_dir
    files = _pictures(options, dataset, mode) if pictures else [_page(options, dataset, target, mode, source)]
    if options.show and not options.not_show and not pictures:
        _show(options, dataset, mode)
    where = pictures or f'{files[0]} ({size_text(files[0].stat().st_size)}, one file)'
    if options.json:
        print(json.dumps([str(file) for file in files], indent=2))
    else:
        words = f'{len(files)} pictures' if pictures else 'page'
        part = f' ({options.phase})' if options.phase else ''
        print(f'{words} of {len(dataset)} {dataset.sample_name}{"s" * (len(dataset) != 1)}{part} in {where}')


def _page(options: argparse.Namespace, dataset: Any, target: str | Path, mode: str, source: str) -> Path:
    from ...report.browse_page import browse_page
    from ...report.page import write_page

    facts = {'data': source} | ({'part': options.phase} if options.phase else {})
    title = f'{Path(source).name}: {options.phase}' if options.phase else Path(source).name
    page = browse_page(dataset, mode, options.count, title, facts)
    return write_page(page, target)


def _pictures(options: argparse.Namespace, dataset: Any, mode: str) -> list[Path]:
    from ...faces import save, show
    from ...files.atomic import output_folder
    from ...files.progress import track
    from ...report.browse import browse, file_name

    files = []
    with output_folder(options.output_dir) as draft:
        drawn = track(browse(dataset, mode, options.count), 'drawing', unit='pictures/s')
        for number, (name, picture) in enumerate(drawn):
            file = file_name(number, name)
            save(picture, draft / file)
            files.append(Path(options.output_dir, file))
            if options.show and not options.not_show:
                show(picture, name, options.show_interval)
    return files


def _show(options: argparse.Namespace, dataset: Any, mode: str) -> None:
    from ...faces import show
    from ...report.browse import browse

    for name, picture in browse(dataset, mode, options.count):
        show(picture, name, options.show_interval)
