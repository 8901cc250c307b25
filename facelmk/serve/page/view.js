// The picture with its faces, and the point under the pointer.

import { drawFaces, partOf } from './draw.js';
import { $, faces, pointSize, shown } from './state.js';

const REACH = 14; // pixels from a point in which the pointer finds it
const MARGIN = 0.35; // around the chosen face, in sides of its box

/** The part of the picture that is shown: left, top, width, height. */
function region() {
  if (!$('zoom').checked || !shown.chosen) return [0, 0, shown.width, shown.height];
  const [x1, y1, x2, y2] = shown.chosen.box;
  const margin = MARGIN * Math.max(x2 - x1, y2 - y1);
  return [x1 - margin, y1 - margin, x2 - x1 + 2 * margin, y2 - y1 + 2 * margin];
}

/** Where the picture lies in its frame, in pixels of the page. */
function layout() {
  const { clientWidth: width, clientHeight: height } = $('stage');
  const [left, top, w, h] = region();
  const scale = Math.min(width / w, height / h);
  return { width, height, scale, x: (width - w * scale) / 2 - left * scale, y: (height - h * scale) / 2 - top * scale };
}

function paint(context, { scale, x, y, unit }) {
  context.imageSmoothingQuality = 'high';
  if (shown.picture) context.drawImage(shown.picture, x, y, shown.width * scale, shown.height * scale);
  if (!shown.answer) return;
  drawFaces(context, faces(), shown.answer.markup, {
    scale, x, y, unit,
    size: pointSize(),
    boxes: $('show-boxes').checked,
    lines: $('show-lines').checked,
    numbers: $('show-numbers').checked,
    chosen: shown.chosen,
    marked: shown.marked,
  });
}

/** Draw the picture as large as its frame, with all pixels of the screen. */
export function draw() {
  const canvas = $('canvas');
  const unit = window.devicePixelRatio || 1;
  const { width, height, scale, x, y } = layout();
  canvas.width = Math.round(width * unit);
  canvas.height = Math.round(height * unit);
  $('start').hidden = shown.width > 0;
  if (shown.width) paint(canvas.getContext('2d'), { scale: scale * unit, x: x * unit, y: y * unit, unit });
}

/** The picture with its faces in its own size, for a download. */
export function fullSize() {
  const canvas = document.createElement('canvas');
  canvas.width = shown.width;
  canvas.height = shown.height;
  const { clientWidth, clientHeight } = $('stage');
  const unit = Math.max(shown.width / clientWidth, shown.height / clientHeight);
  paint(canvas.getContext('2d'), { scale: 1, x: 0, y: 0, unit });
  return canvas;
}

/** The face and the point that are the closest to the pointer, or null. */
export function nearest(event) {
  const box = $('stage').getBoundingClientRect();
  const { scale, x, y } = layout();
  const [px, py] = [(event.clientX - box.left - x) / scale - 0.5, (event.clientY - box.top - y) / scale - 0.5];
  let [best, least] = [null, REACH / scale];
  for (const face of faces()) {
    face.landmarks.forEach(([lx, ly], i) => {
      const distance = Math.hypot(lx - px, ly - py);
      if (distance < least) [best, least] = [[face, i], distance];
    });
  }
  return best;
}

/** Show the number, the part and the score of a point beside it. */
export function mark(face, point) {
  Object.assign(shown, { chosen: face, marked: point });
  const part = partOf(shown.answer.markup, point);
  $('tip').textContent = `point ${point}${part ? `, ${part}` : ''}, score ${face.scores[point].toFixed(2)}`;
  $('tip').hidden = false;
  const { scale, x, y, width, height } = layout();
  const [px, py] = face.landmarks[point].map((value, axis) => (axis ? y : x) + (value + 0.5) * scale);
  const { offsetWidth, offsetHeight } = $('tip');
  const left = Math.max(4, Math.min(width - offsetWidth - 4, px + 14));
  const top = py > offsetHeight + 16 ? py - offsetHeight - 12 : Math.min(height - offsetHeight - 4, py + 14);
  $('tip').style.transform = `translate(${left}px, ${top}px)`;
  $('canvas').setAttribute('aria-label', $('tip').textContent);
  draw();
}

/** Hide the point that was shown. */
export function unmark() {
  if ($('tip').hidden) return;
  shown.marked = null;
  $('tip').hidden = true;
  draw();
}

/** Go to the next or the last point of the chosen face with the arrow keys. */
export function step(event) {
  const change = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') unmark();
  if (!change || !shown.chosen) return;
  event.preventDefault();
  const count = shown.chosen.landmarks.length;
  mark(shown.chosen, ((shown.marked ?? (change > 0 ? -1 : 0)) + change + count) % count);
}
