"""The list of readers, and what a new format needs: its own file, and its name in this list."""

import facelmk.datasets
from facelmk.datasets import readers
from facelmk.datasets.open_faces import LAYOUTS
from facelmk.registry import DATASETS


def test_every_reader_is_listed_once():
    registered = {name for name in DATASETS if DATASETS.get(name).__module__.startswith('facelmk.datasets.readers.')}
    assert registered == set(readers.__all__) == {reader.__name__ for reader in readers.READERS} | {'PublishedFaces'}
    assert all(getattr(facelmk.datasets, name) is DATASETS.get(name) for name in registered)


def test_errors_name_every_layout_that_is_detected():
    assert all(reader.layout in LAYOUTS for reader in readers.READERS)
    assert len({reader.layout for reader in readers.READERS if reader.layout}) == 12


def test_a_new_format_is_detected_once_it_is_listed(tmp_path, monkeypatch):
    class SpacedFaces(facelmk.datasets.AnnotatedFaces):
        """One line for each face: picture, then x and y of every point."""

        @classmethod
        def detect(cls, path):
            return readers.coco.Detected({'ann_file': str(path)}, 5) if path.suffix == '.spaced' else None

        def read(self, file):
            rows = [line.split() for line in file.read_text().splitlines()]
            names = [row[0] for row in rows]
            table, defective = facelmk.datasets.records.numbers(
                file, names, [row[1:] for row in rows], 10, self.defects
            )
            return self.rows(file, names, table.reshape(-1, 5, 2), defective=defective)

    monkeypatch.setitem(DATASETS._module_dict, 'SpacedFaces', SpacedFaces)
    monkeypatch.setattr('facelmk.datasets.open_faces.READERS', (*readers.READERS, SpacedFaces))
    (tmp_path / 'a.spaced').write_text('a.jpg 10 20 30 20 20 30 12 40 28 40\nb.jpg 1 x 3 4 5 6 7 8 9 10\n')
    data = facelmk.datasets.open_faces.open_faces(tmp_path / 'a.spaced', defects='skip')
    assert [face['id'] for face in data.faces] == ['a.jpg'] and data.markup.name == 'five'
    assert data.defects[0].wrong == "'x' is no number"
