"""The style sheet of the report, with a light and a dark theme."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --paper: #fff; --band: #f3f5f8; --rule: #d9dee7;
  --c0: #1d2330;
  --c1: #d6432f; --c2: #e08a00; --c3: #b8a100; --c4: #b03fb8; --c5: #2f7fd6; --c6: #159a6d; --c7: #8a94a6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #9aa4b5; --paper: #14171d; --band: #1e232c;
  --rule: #353c49; --c0: #e7eaf0; --c1: #ff7b66; --c2: #ffb040; --c3: #e2cf3f; --c4: #e08ae6; --c5: #6db0ff;
  --c6: #4fd3a4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 25px; line-height: 1.25; margin: 0 0 14px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 40px 0 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }
dt, .note, figcaption span { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.note { margin: 4px 0 12px; }
section { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: right; white-space: nowrap; }
th:first-child { text-align: left; padding-left: 8px; }
tr.block th { color: var(--soft); font-weight: 600; background: var(--band); }
tbody tr + tr { border-top: 1px solid var(--rule); }
td:nth-of-type(1) { font-weight: 600; }
.pair td { font-weight: 400; }
svg { width: 100%; max-width: 760px; height: auto; display: block; }
svg.face { max-width: 420px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.grid { stroke: var(--rule); fill: none; }
.guide { stroke: var(--soft); stroke-opacity: .6; fill: none; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.bar { fill: var(--c5); }
.s0 { stroke: var(--c0); stroke-width: 2.6; } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
.s3 { stroke: var(--c3); } .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); } .s6 { stroke: var(--c6); }
.s7 { stroke: var(--c7); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 8px 32px; }
.pair > * { align-self: center; min-width: 0; overflow-x: auto; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 14px; }
figure { margin: 0; }
img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 6px; background: var(--band); display: block; }
img.plot { width: auto; max-width: 100%; aspect-ratio: auto; background: #fff; }
figcaption { font-size: 13px; line-height: 1.35; padding-top: 4px; overflow-wrap: anywhere; }
"""
