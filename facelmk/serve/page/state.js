// What the page shows now: the picture, its faces, the chosen one, and the settings.

export const $ = (id) => document.getElementById(id);

const EMPTY = { picture: null, width: 0, height: 0, name: '', blob: null, answer: null, chosen: null, marked: null };
export const shown = { ...EMPTY };

/** Replace all that is shown. */
export function reset(values) {
  Object.assign(shown, EMPTY, values);
}

export const threshold = () => Number($('threshold').value);
export const pointSize = () => Number($('size').value);

/** The score of a face; of a model without a calibration, the mean score of its points. */
export const scoreOf = (face) =>
  face.score ?? Math.min(1, face.scores.reduce((sum, score) => sum + score, 0) / face.scores.length);

/** The faces whose score is high enough. */
export const faces = () => (shown.answer?.faces ?? []).filter((face) => scoreOf(face) >= threshold());

export const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Set the state of the page, which its style follows, and the sentence below the picture. */
export function say(state, text) {
  document.body.dataset.state = state;
  $('status').textContent = text;
}
