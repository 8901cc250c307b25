"""Nine points: eye corners, nose tip, mouth corners, upper lip, chin."""

from facelmk.markups import MARKUPS, Markup

NINE = MARKUPS.add(Markup('nine', 9, pairs=((0, 3), (1, 2), (5, 6)), eyes=(0, 3), lines=((0, 1), (2, 3), (5, 7, 6))))
