// The page: what happens when something is dropped, chosen or moved.

import * as api from './api.js';
import { Camera } from './camera.js';
import { list, showChosen, showLegend, showModels } from './panel.js';
import { saveJson, savePng, savePts } from './save.js';
import { $, faces, plural, reset, say, shown, threshold } from './state.js';
import { draw, fullSize, mark, nearest, step, unmark } from './view.js';

let running = null; // the request in progress
let maxBytes = Infinity;

// -- a picture

function report() {
  const { answer, name } = shown;
  const [all, visible] = [answer.faces.length, faces().length];
  list();
  draw();
  $('canvas').setAttribute('aria-label', `${name}: ${plural(visible, 'face')}`);
  const below = visible < all ? ` ${plural(all - visible, 'face')} below the lowest score.` : '';
  const unseen = shown.picture ? '' : ' This browser cannot show the picture, so its landmarks are drawn alone.';
  const speed = `${answer.model}, ${Math.round(1000 * answer.seconds)} ms.${unseen}`;
  if (!all) say('none', `No face was found in ${name}. ${speed}`);
  else if (!visible) say('none', `${plural(all, 'face')} in ${name}, none with a score of ${threshold()} or more.`);
  else say('result', `${plural(visible, 'face')} in ${name}.${below} ${speed}`);
}

async function bitmapOf(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null; // a format that the server knows and this browser does not
  }
}

async function open(blob, name) {
  stopCamera();
  running?.abort();
  const request = running = new AbortController();
  const picture = await bitmapOf(blob);
  if (request !== running) return;
  reset({ picture, name, blob, width: picture?.width ?? 0, height: picture?.height ?? 0 });
  unmark();
  list();
  draw();
  say('working', `Looking for faces in ${name} …`);
  try {
    if (blob.size > maxBytes) throw new Error(`${name} has ${blob.size} bytes. The server takes at most ${maxBytes}.`);
    const answer = await api.predict(blob, $('model').value, request.signal);
    if (request !== running) return;
    Object.assign(shown, { answer, width: answer.width, height: answer.height });
    showLegend();
    report();
  } catch (error) {
    if (request === running) say('error', error.message);
  }
}

function take(files) {
  const file = files?.[0];
  if (file) open(file, file.name || 'the pasted picture');
  else say('error', 'That was no file. Drop a photograph from a folder, or paste a copied picture.');
}

// -- the camera

const camera = new Camera(
  $('video'),
  (blob) => api.predict(blob, $('model').value),
  (frame, answer, ms) => {
    reset({ picture: frame, name: 'camera', answer, width: frame.width, height: frame.height });
    unmark();
    showLegend();
    list();
    draw();
    say('result', `${plural(faces().length, 'face')}. ${answer.model}, ${Math.round(1000 / ms)} pictures a second.`);
  },
);

function stopCamera() {
  camera.close();
  $('camera').textContent = 'Open the camera';
}

async function toggleCamera() {
  if (camera.isOpen) {
    stopCamera();
    say(shown.answer ? 'result' : 'empty', 'The camera is off.');
    return;
  }
  running?.abort();
  running = null;
  say('working', 'Opening the camera …');
  $('camera').disabled = true; // while the browser asks
  try {
    await camera.open().finally(() => { $('camera').disabled = false; });
    if (running) { // a picture was opened meanwhile
      stopCamera();
      return;
    }
    $('camera').textContent = 'Stop the camera';
    await camera.run();
  } catch (error) {
    stopCamera();
    say('error', error.message);
  }
}

// -- events

function connectSettings() {
  $('model').addEventListener('change', () => { if (shown.blob) open(shown.blob, shown.name); });
  $('threshold').addEventListener('input', () => {
    $('threshold-value').textContent = threshold().toFixed(2);
    if (shown.answer) report();
  });
  $('size').addEventListener('input', () => { $('size-value').textContent = $('size').value; draw(); });
  for (const id of ['show-boxes', 'show-lines', 'show-numbers', 'zoom']) $(id).addEventListener('change', draw);
  $('save-png').addEventListener('click', () => savePng(fullSize(), shown.name));
  $('save-json').addEventListener('click', () => saveJson(shown.answer, faces(), shown.name));
  $('save-pts').addEventListener('click', () => savePts(shown.chosen, shown.name));
}

function connectCanvas() {
  const point = (event) => {
    const found = nearest(event);
    if (!found) return unmark();
    mark(...found);
    return showChosen();
  };
  for (const type of ['pointermove', 'pointerdown']) $('canvas').addEventListener(type, point);
  $('canvas').addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') unmark(); });
  $('canvas').addEventListener('keydown', step);
  $('canvas').addEventListener('blur', unmark);
  new ResizeObserver(draw).observe($('stage'));
}

function connectPictures() {
  const over = (is) => $('stage').classList.toggle('over', is);
  $('file').addEventListener('change', (event) => { take(event.target.files); event.target.value = ''; });
  $('camera').addEventListener('click', toggleCamera);
  document.addEventListener('paste', (event) => {
    if (event.clipboardData.files.length) take(event.clipboardData.files);
  });
  document.addEventListener('dragover', (event) => { event.preventDefault(); over(true); });
  document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    take(event.dataTransfer.files);
  });
}

async function start() {
  $('host').textContent = location.host;
  connectSettings();
  connectCanvas();
  connectPictures();
  showLegend();
  try {
    const { models, default: first, max_bytes: bytes } = await api.models();
    maxBytes = bytes;
    showModels(models, first);
  } catch (error) {
    say('error', error.message);
  }
}

start();
