// The table of faces, the legend and the choice of a model.

import { legendOf } from './draw.js';
import { $, faces, scoreOf, shown } from './state.js';
import { draw, unmark } from './view.js';

const SVG = 'http://www.w3.org/2000/svg';

/** Choose a face: the downloads as .pts and the arrow keys use it. */
export function choose(face) {
  if (face === shown.chosen) return;
  unmark();
  shown.chosen = face;
}

/** List the faces, and allow the downloads that are possible. */
export function list() {
  const visible = faces();
  if (!visible.includes(shown.chosen)) choose(visible[0] ?? null);
  $('faces').replaceChildren(...visible.map(row));
  $('no-faces').hidden = visible.length > 0;
  $('no-faces').textContent = shown.answer ? 'None with this score.' : 'They are listed here.';
  for (const id of ['save-png', 'save-json']) $(id).disabled = !shown.answer;
  $('save-pts').disabled = !shown.chosen;
}

/** Let the table follow the chosen face, without making it anew. */
export function showChosen() {
  const visible = faces();
  $('faces').querySelectorAll('input').forEach((radio, i) => { radio.checked = visible[i] === shown.chosen; });
}

function row(face, i) {
  const radio = Object.assign(document.createElement('input'), { type: 'radio', name: 'face' });
  radio.checked = face === shown.chosen;
  radio.addEventListener('change', () => { choose(face); draw(); });
  const label = document.createElement('label');
  label.append(radio, `${i + 1}`);
  const [x1, y1, x2, y2] = face.box;
  const row = document.createElement('tr');
  for (const content of [label, scoreOf(face).toFixed(2), `${Math.round(x2 - x1)} × ${Math.round(y2 - y1)}`]) {
    row.insertCell().append(content);
  }
  return row;
}

/** Show the colours of the parts of this landmark scheme. */
export function showLegend() {
  $('legend').replaceChildren(...legendOf(shown.answer?.markup).map(([name, colour]) => {
    const dot = document.createElementNS(SVG, 'svg');
    dot.setAttribute('viewBox', '0 0 12 12');
    dot.setAttribute('aria-hidden', 'true');
    const circle = document.createElementNS(SVG, 'circle');
    for (const [key, value] of Object.entries({ cx: 6, cy: 6, r: 5, fill: colour })) circle.setAttribute(key, value);
    dot.append(circle);
    const item = document.createElement('li');
    item.append(dot, name);
    return item;
  }));
}

/** List the models with their landmark schemes. */
export function showModels(models, chosen) {
  const options = models.map(({ name, markup }) => new Option(markup ? `${name} (${markup})` : name, name));
  $('model').replaceChildren(...options);
  $('model').value = chosen;
}
