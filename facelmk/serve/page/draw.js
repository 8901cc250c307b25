// Draws faces: points and lines coloured by part, boxes, numbers. All sizes are in pixels of the canvas.

const GROUPS = [
  ['jaw', '#4cc9f0', /contour|jaw|chin/],
  ['brows', '#ffb703', /brow/],
  ['eyes', '#7ae582', /eye|pupil/],
  ['nose', '#c77dff', /nose/],
  ['mouth', '#ff5d8f', /lip|mouth/],
];
const OTHER = ['other', '#e8ecf2'];
const EDGE = '#000a';
const USUAL_FACE = 140; // side of a face, in pixels of the page, whose points have the radius that is set

/** The name and the colour of the group of each point of a landmark scheme. */
export function groupsOf(markup) {
  const groups = new Array(markup.points).fill(OTHER);
  for (const [part, points] of Object.entries(markup.parts)) {
    const group = GROUPS.find(([, , words]) => words.test(part)) ?? OTHER;
    for (const i of points) groups[i] = group;
  }
  return groups;
}

/** Names and colours for the legend: those of a scheme, or of all groups before there is one. */
export function legendOf(markup) {
  const used = markup ? new Set(groupsOf(markup)) : new Set(GROUPS);
  return [...GROUPS, OTHER].filter((group) => used.has(group));
}

/** The name of the part that a point belongs to, such as "left eye". */
export function partOf(markup, point) {
  const found = Object.entries(markup.parts).find(([, points]) => points.includes(point));
  return found ? found[0].replaceAll('_', ' ') : '';
}

/** Draw faces on a context whose picture has `scale` pixels a pixel of the photograph, from `x`, `y` on. */
export function drawFaces(context, faces, markup, options) {
  const { scale, x, y, unit, size, boxes, lines, numbers, chosen, marked } = options;
  const groups = groupsOf(markup);
  context.lineJoin = context.lineCap = 'round';
  for (const face of faces) {
    const points = face.landmarks.map(([px, py]) => [x + (px + 0.5) * scale, y + (py + 0.5) * scale]);
    const [x1, y1, x2, y2] = face.box;
    const side = (Math.max(x2 - x1, y2 - y1) * scale) / unit;
    const radius = size * unit * Math.min(1.5, Math.max(0.4, side / USUAL_FACE));
    if (boxes) drawBox(context, face.box, options, face === chosen && faces.length > 1);
    if (lines) drawLines(context, points, markup, groups, radius);
    points.forEach((point, i) => drawPoint(context, point, groups[i][1], radius));
    if (numbers) drawNumbers(context, points, radius);
    if (face === chosen && marked !== null && points[marked]) {
      context.lineWidth = Math.max(2, radius * 0.7);
      context.strokeStyle = '#fff';
      circle(context, points[marked], radius * 2.2);
      context.stroke();
    }
  }
}

function drawBox(context, [x1, y1, x2, y2], { scale, x, y, unit }, chosen) {
  context.beginPath();
  context.rect(x + x1 * scale, y + y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale);
  for (const [colour, width] of [[EDGE, 3.5], [chosen ? '#ffd60a' : '#fff', 1.5]]) {
    context.lineWidth = (chosen ? 1.5 : 1) * width * unit;
    context.strokeStyle = colour;
    context.stroke();
  }
}

function drawLines(context, points, markup, groups, radius) {
  context.lineWidth = Math.max(1, radius * 0.55);
  for (const line of markup.lines) {
    context.beginPath();
    line.forEach((i, n) => context[n ? 'lineTo' : 'moveTo'](...points[i]));
    context.strokeStyle = `${groups[line[Math.floor(line.length / 2)]][1]}b0`;
    context.stroke();
  }
}

function drawPoint(context, point, colour, radius) {
  circle(context, point, radius);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = radius * 0.25;
  context.strokeStyle = EDGE;
  context.stroke();
}

function drawNumbers(context, points, radius) {
  const size = Math.max(8, radius * 3.4);
  context.font = `${size}px system-ui, sans-serif`;
  context.lineWidth = size / 5;
  context.strokeStyle = EDGE;
  context.fillStyle = '#fff';
  points.forEach(([px, py], i) => {
    context.strokeText(i, px + radius * 1.2, py - radius * 0.6);
    context.fillText(i, px + radius * 1.2, py - radius * 0.6);
  });
}

function circle(context, [px, py], radius) {
  context.beginPath();
  context.arc(px, py, radius, 0, 2 * Math.PI);
}
