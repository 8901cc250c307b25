"""The style sheet of all pages: a light and a dark theme, narrow screens, and paper."""

BRIGHT_PARTS = (  # on dark paper and on photographs; blue is left in the image, orange is right
    '--p0: #f0e442; --p1: #56c8f5; --p2: #ffab3d; --p3: #35d6a0; --p4: #5c9dff; --p5: #ff7a4d; --p6: #f08fe0; '
    '--p7: #b59bff; --p8: #ffffff; --p9: #c0c7d2;'
)
LIGHT = (
    '--ink: #1d2330; --soft: #586172; --paper: #ffffff; --band: #f3f5f8; --rule: #d3d9e3; --link: #1b5fb8; '
    '--c0: #1d2330; --c1: #c8502c; --c2: #1f6fd0; --c3: #0b8a63; --c4: #a2479c; --c5: #a06e00; --c6: #23809f; '
    '--c7: #6b7484; --e0: #c47a1e; --e1: #cf5a55; --e2: #b03a86; --e3: #7a1fa2; --e4: #2a0a86; '
    '--p0: #857000; --p1: #23809f; --p2: #b06a05; --p3: #0b8a63; --p4: #1f5fd0; --p5: #c8402c; --p6: #a2479c; '
    '--p7: #6d4bc4; --p8: #3c4452; --p9: #6b7484;'
)
DARK = (
    '--ink: #e7eaf0; --soft: #a3adbd; --paper: #14171d; --band: #1e232c; --rule: #3a4250; --link: #8cc0ff; '
    '--c0: #e7eaf0; --c1: #ff8a5c; --c2: #6db0ff; --c3: #4fd3a4; --c4: #e29be0; --c5: #f0c04a; --c6: #7fd3f0; '
    f'--c7: #9aa4b5; --e0: #9a63dc; --e1: #c8589f; --e2: #e16f68; --e3: #fba238; --e4: #f7ee3a; {BRIGHT_PARTS}'
)
TICK_BOXES = ('show-points', 'show-true', 'show-numbers', 'by-part')
_TEXT = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 14px; }
h2 { font-size: 20px; margin: 44px 0 6px; }
h3 { font-size: 16px; margin: 16px 0 2px; }
a { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: 6px 18px; margin: 18px 0 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }
dd { margin: 0; min-width: 0; }
dt, .note, figcaption span, footer { color: var(--soft); }
.note { margin: 4px 0 12px; max-width: 80ch; }
.verdict { border-left: 4px solid var(--c2); background: var(--band); padding: 10px 14px; margin: 12px 0; }
footer { margin-top: 48px; border-top: 1px solid var(--rule); padding-top: 10px; }
summary { cursor: pointer; color: var(--link); padding: 6px 0; }
input { position: absolute; opacity: 0; }
.ticks { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 8px 0; }
.ticks label { cursor: pointer; padding: 4px 0; }
.ticks label::before { content: "\\2610"; font-size: 20px; line-height: 1; vertical-align: -1px; margin-right: 6px; }
TICKS
"""
_TABLES = """
.scroll { overflow-x: auto; max-width: 100%; background:
  linear-gradient(to right, var(--paper) 30%, transparent) left / 40px 100% no-repeat local,
  linear-gradient(to left, var(--paper) 30%, transparent) right / 40px 100% no-repeat local,
  linear-gradient(to right, var(--soft), transparent) left / 12px 100% no-repeat scroll,
  linear-gradient(to left, var(--soft), transparent) right / 12px 100% no-repeat scroll; }
table { overflow-wrap: normal; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 11px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { text-align: left; padding-left: 0; white-space: normal;
  max-width: 16em; min-width: 6em; overflow-wrap: anywhere; }
tr.block th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--rule); padding-top: 12px; }
td:nth-of-type(1) { font-weight: 600; }
.plain td { font-weight: 400; }
"""
_CHARTS = """
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(400px, 100%), 1fr)); gap: 20px 40px;
  margin: 8px 0; }
.charts > * { min-width: 0; }
svg.chart { width: 100%; max-width: 500px; height: auto; display: block; }
svg.chart text { font: 14.8px system-ui, sans-serif; fill: var(--ink); }
svg.chart text.soft { fill: var(--soft); }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--rule); fill: none; }
.mark { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.dashes { stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.area { stroke: none; fill: var(--c2); fill-opacity: .14; }
.bar { fill: var(--c2); } .missed { fill: var(--c1); } .failures { stroke: var(--c1); stroke-width: 5; fill: none; }
.whisker { stroke: var(--ink); stroke-width: 2; fill: none; }
.dot { stroke: none; }
.cloud { fill: none; stroke-width: 4.5; stroke-linecap: round; stroke-opacity: .6; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); }
.s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); } .s6 { stroke: var(--c6); } .s7 { stroke: var(--c7); }
.line.s1 { stroke-dasharray: 7 3; } .line.s3 { stroke-dasharray: 2 3; } .line.s4 { stroke-dasharray: 9 3 2 3; }
.line.s5 { stroke-dasharray: 4 4; } .line.s6 { stroke-dasharray: 12 4; } .line.s7 { stroke-dasharray: 1 4; }
.f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); } .f3 { fill: var(--c3); }
.f4 { fill: var(--c4); } .f5 { fill: var(--c5); } .f6 { fill: var(--c6); } .f7 { fill: var(--c7); }
.pale { fill-opacity: .16; stroke: none; }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; padding: 0; margin: 6px 0 10px; }
ul.photo-key { background: #14171d; color: #e7eaf0; padding: 4px 12px; border-radius: 6px;
  width: max-content; max-width: 100%; BRIGHT }
ul.columns { columns: 7.5em; padding: 0; list-style: none; font-variant-numeric: tabular-nums; }
ul.key svg { width: 28px; height: 14px; vertical-align: -2px; margin-right: 6px; }
"""
_FACES = """
.map svg { width: 100%; max-width: 560px; height: auto; display: block; }
.map text { font: 14px system-ui, sans-serif; fill: var(--ink); }
.map circle { stroke: var(--paper); stroke-width: 1; }
.guide { stroke: var(--rule); stroke-width: 2; fill: none; }
.leader { stroke: var(--soft); stroke-width: .7; fill: none; }
.e0 { fill: var(--e0); } .e1 { fill: var(--e1); } .e2 { fill: var(--e2); } .e3 { fill: var(--e3); }
.e4 { fill: var(--e4); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(210px, 46%), 1fr)); gap: 16px; }
.gallery.wide { grid-template-columns: repeat(auto-fill, minmax(min(420px, 100%), 1fr)); }
figure { margin: 0; min-width: 0; scroll-margin-top: 12px; }
figcaption { font-size: 14px; line-height: 1.4; padding-top: 4px; }
figure .close { display: none; }
figure:target { grid-column: 1 / -1; max-width: 760px; }
figure:target .close { display: inline; }
.frame { overflow-x: auto; display: block; }
.side { display: flex; gap: 4px; } .side > * { flex: 1; min-width: 0; }
.photo { display: block; width: 100%; height: auto; border-radius: 6px; background: var(--band); BRIGHT }
.photo text { font: 8.6px system-ui, sans-serif; fill: #fff; stroke: #000; stroke-width: 2px; paint-order: stroke;
  text-anchor: middle; }
.photo path { fill: none; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.halo { stroke: #000; stroke-opacity: .75; stroke-width: 5px; }
.points path { stroke-width: 3.4px; }
.true path { stroke: #fff; stroke-width: 2.6px; } .true .halo { stroke: #000; stroke-width: 4.2px; }
.joint { stroke: #fff; stroke-opacity: .55; stroke-width: 1px; }
.hidden circle { fill: none; stroke: #ff7a4d; stroke-width: 1.5; }
.miss { stroke: #fff; stroke-width: 1px; } .box { stroke: #fff; stroke-width: 1.5px; }
.ignored { stroke: #ff7a4d; stroke-width: 1.5px; stroke-dasharray: 5 4; }
figure:target .halo { stroke-width: 8px; } figure:target .points path { stroke-width: 6px; }
figure:target .true path { stroke-width: 4.4px; } figure:target .true .halo { stroke-width: 6.6px; }
PARTS
.points path.halo, .true path.halo { stroke-width: 5px; }
.show-numbers:not(:checked) ~ * .numbers, .show-true:not(:checked) ~ * .true, .show-true:not(:checked) ~ * .miss,
.show-points:not(:checked) ~ * .points { display: none; }
.show-numbers:checked ~ .gallery { grid-template-columns: repeat(auto-fill, minmax(min(540px, 100%), 1fr)); }
.show-numbers:checked ~ * .photo { min-width: 540px; }
.show-numbers:checked ~ .map svg { min-width: 760px; max-width: 760px; }
.by-part:checked ~ .errors, .by-part:not(:checked) ~ .key:not(.errors) { display: none; }
.show-numbers:checked ~ * .side { display: block; }
"""
_SCREENS = """
@media (min-width: 720px) { svg.chart text { font-size: 11.5px; } }
@media (max-width: 719px) {
  main { padding: 16px 14px 40px; } h1 { font-size: 22px; }
  dl { display: block; } dd { margin: 0 0 6px; } th, td { padding: 5px 8px; }
  th:first-child { position: sticky; left: 0; background: var(--paper); }
  .halo { stroke-width: 3.6px; } .points path.halo, .true path.halo { stroke-width: 3.6px; }
  .points path { stroke-width: 2.4px; } .true path { stroke-width: 2px; } nav a { padding: 4px 0; }
}
@media screen and (max-width: 719px) {
  .wide, .wide tbody { display: block; }
  .wide tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(10em, 1fr)); gap: 0 20px;
    border-bottom: 1px solid var(--rule); padding: 3px 0; }
  .wide th, .wide td { border: 0; padding: 1px 0; }
  .wide th:first-child { grid-column: 1 / -1; position: static; max-width: none; }
  .wide tr.block { border-bottom: 2px solid var(--rule); } .wide tr.block th:not(:first-child) { display: none; }
  .wide tr.block th:first-child { padding-top: 12px; border: 0; }
  .wide td { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 0 10px; white-space: normal; }
  .wide td::before { content: attr(data-name); color: var(--soft); font-weight: 400; margin-right: auto;
    text-align: left; }
  .wide td:empty { display: none; } .wide { overflow-wrap: anywhere; }
}
@media print {
  nav, input, .ticks, .close { display: none !important; } main { max-width: none; padding: 0; }
  section { break-inside: auto; } figure, svg, tr { break-inside: avoid; } h2 { break-after: avoid; }
}
"""


def _part_rules() -> str:
    """Return the colour of the parts of a face, for dots on paper and for points on a photograph."""
    return '\n'.join(
        f'.key .p{i} {{ fill: var(--p{i}); }} .photo .p{i} {{ stroke: var(--p{i}); fill: none; }} '
        f'.by-part:checked ~ .map .p{i} {{ fill: var(--p{i}); }}'
        for i in range(10)
    )


def _tick_rules() -> str:
    """Return how the text of a ticked box looks, and of the box that the keyboard is on."""
    return '\n'.join(
        f'.{kind}:checked ~ .ticks .{kind}-text::before {{ content: "\\2611"; }} '
        f'.{kind}:focus-visible ~ .ticks .{kind}-text {{ outline: 2px solid var(--c2); }}'
        for kind in TICK_BOXES
    )


STYLE = (
    f':root {{ color-scheme: light dark; {LIGHT} }}\n@media screen and (prefers-color-scheme: dark) '
    f'{{ :root {{ {DARK} }} }}'
    + _TEXT.replace('TICKS', _tick_rules())
    + _TABLES
    + _CHARTS.replace('BRIGHT', BRIGHT_PARTS)
    + _FACES.replace('BRIGHT', BRIGHT_PARTS).replace('PARTS', _part_rules())
    + _SCREENS
)
