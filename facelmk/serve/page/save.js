// Downloads: the picture with its faces, the numbers as json, one face as .pts.

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const stem = (name) => name.replace(/\.[^.]*$/, '').replace(/[^\p{L}\p{N}_-]+/gu, '_') || 'picture';

export function savePng(canvas, name) {
  canvas.toBlob((blob) => save(blob, `${stem(name)}_landmarks.png`), 'image/png');
}

export function saveJson(answer, faces, name) {
  const text = JSON.stringify({ picture: name, ...answer, faces }, null, 1);
  save(new Blob([text], { type: 'application/json' }), `${stem(name)}.json`);
}

/** The format of 300W: one line for each point. */
export function savePts(face, name) {
  const rows = face.landmarks.map(([x, y]) => `${x} ${y}`);
  const text = `version: 1\nn_points:  ${rows.length}\n{\n${rows.join('\n')}\n}\n`;
  save(new Blob([text], { type: 'text/plain' }), `${stem(name)}.pts`);
}
