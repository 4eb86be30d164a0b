// The play page: joins the link, the controls, the screen and the panels.
import {handle, Choices} from './actions.js';
import {Controls} from './controls.js';
import {Link} from './link.js';
import {Meters} from './meters.js';
import {KeptShelf, markStart, showFacts, showKeys, showStarts} from './panels.js';
import {Screen, Trail} from './screen.js';

const $ = (id) => document.getElementById(id);
const link = new Link();
const screen = new Screen($('screen'));
const trail = new Trail($('trail'));
const meters = new Meters();
const shelf = new KeptShelf($('kept-section'), $('kept'), {
  picture: (tick) => screen.copy(tick),
  rewind: (id) => link.say({type: 'rewind', id}),
  forget: (id) => link.say({type: 'forget', id}),
});

let hello = null, space = null, controls = null;
let status = {paused: false, fps: 0, seed: 0, start: null, kept: []};
let inputNumber = 0, pausedByHiding = false;

const SHORTCUTS = [
  ['KeyP', 'pause or resume', () => togglePause()],
  ['Period', 'step one frame', () => step()],
  ['KeyR', 'restart', () => restart()],
  ['KeyK', 'keep this moment', () => link.say({type: 'keep'})],
  ['KeyB', 'rewind to the moment kept last', () => rewind()],
  ['KeyF', 'fill the display', () => fullscreen()],
];

// ---- what the server says

link.addEventListener('state', ({detail: {state, text}}) => {
  $('link').dataset.state = state;
  $('link-text').textContent = state === 'lost' ? 'no connection' : state === 'ended' ? 'ended' : text;
  $('veil').hidden = state === 'open' || (state === 'opening' && !hello);
  $('veil-text').textContent = state === 'lost' ? `${capital(text)}. Trying again …` : `${capital(text)}.`;
  $('veil-again').hidden = state === 'opening';
  document.body.dataset.state = state;
});

link.addEventListener('hello', ({detail}) => {
  hello = detail;
  space = handle(hello.actions);
  const places = {pads: $('pads'), sliders: $('sliders'), numbers: $('numbers')};
  controls = new Controls(space, places, sendAction);
  document.querySelector('.hand').hidden = space.keys.size === 0 && hello.actions.dims === 0;
  document.title = hello.title ? `${hello.title} – Orrery` : 'Orrery';
  $('title').textContent = hello.title;
  screen.recent.length = 0;
  meters.clear();
  shelf.show([]);
  showStarts($('starts'), hello.starts, (index) => link.say({type: 'reset', start: index}));
  showKeys($('keys'), space, SHORTCUTS);
  showFacts($('facts'), hello);
  $('action').textContent = space.describe(controls.action);
  sendAction(controls.action, null);
  pausedByHiding = false;
  if (document.hidden) rest();
});

link.addEventListener('status', ({detail}) => {
  status = detail;
  $('pause').setAttribute('aria-pressed', String(status.paused));
  $('pause-text').textContent = status.paused ? 'Resume' : 'Pause';
  $('pause-icon').setAttribute('href', status.paused ? '#i-play' : '#i-pause');
  $('paused-tag').hidden = !status.paused;
  $('seed').textContent = status.seed;
  $('rate').value = status.fps;
  $('rate-text').textContent = `${Number(status.fps.toFixed(1))} fps`;
  shelf.show(status.kept);
  $('rewind').disabled = shelf.latest === null;
  markStart($('starts'), status.start);
});

link.addEventListener('frame', ({detail: frame}) => {
  screen.draw(frame);
  trail.add(frame, space instanceof Choices ? space.idle : undefined);
  meters.frame(frame);
  link.say({type: 'seen', sequence: frame.sequence});
  $('tick').textContent = frame.tick;
  $('action').textContent = frame.jump ? 'at a start' : space.describe(frame.action);
  document.body.dataset.sequence = frame.sequence;
});

link.addEventListener('error', ({detail}) => toast(capital(detail.message)));

// ---- what the player does

function sendAction(action, time) {
  link.say({type: 'input', number: ++inputNumber, action});
  if (time !== null && action !== null && !status.paused) meters.input(inputNumber, time);
}

function togglePause() {
  link.say({type: status.paused ? 'resume' : 'pause'});
}

function step() {
  const action = controls?.action ?? (hello?.actions.count ? [0] : null);
  if (action) link.say({type: 'step', action});
}

function restart() {
  link.say(status.start !== null ? {type: 'reset', start: status.start} : {type: 'reset', seed: status.seed});
}

function rewind() {
  if (shelf.latest !== null) link.say({type: 'rewind', id: shelf.latest});
}

function fullscreen() {
  if (document.fullscreenElement) return document.exitFullscreen();
  $('plate').requestFullscreen?.().catch(() => toast('This browser does not allow that.'));
}

async function saveFilm() {
  const button = $('film'), format = $('format').value;
  button.disabled = true;
  toast('Making the film …');
  try {
    const answer = await fetch(`${hello.film}.${format}`);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const anchor = document.createElement('a');
    anchor.href = URL.createObjectURL(await answer.blob());
    anchor.download = `${(hello.title || 'orrery').replace(/[^\w-]+/g, '-')}-${hello.number}-${$('tick').textContent}.${format}`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
    toast(`Saved ${anchor.download}`);
  } catch (error) {
    toast(`The film could not be saved: ${error.message}`);
  }
  button.disabled = false;
}

$('pause').addEventListener('click', togglePause);
$('step').addEventListener('click', step);
$('restart').addEventListener('click', restart);
$('keep').addEventListener('click', () => link.say({type: 'keep'}));
$('rewind').addEventListener('click', rewind);
$('film').addEventListener('click', saveFilm);
$('full').addEventListener('click', fullscreen);
$('veil-again').addEventListener('click', () => link.open());
$('rate').addEventListener('input', () => link.say({type: 'rate', fps: Number($('rate').value)}));
$('seed-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('seed-input').value.trim();
  if (/^\d{1,15}$/.test(text)) link.say({type: 'reset', seed: Number(text)});
});
$('seed-any').addEventListener('click', () => link.say({type: 'reset', seed: Math.floor(Math.random() * 2 ** 32)}));

// A click with a pointer leaves no focus behind, so that Space and Enter go to the play again.
document.addEventListener('click', (event) => event.detail > 0 && event.target.closest('button')?.blur());

const typing = (event) => event.target.closest?.('input, select, textarea') && event.target.type !== 'checkbox';
const onButton = (event) => event.target.closest?.('button, summary, a') && (event.code === 'Space' || event.code === 'Enter');

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event) || onButton(event) || !controls) return;
  const shortcut = SHORTCUTS.find(([code]) => code === event.code);
  if (shortcut ? !event.repeat && (shortcut[2](), true) : controls.keyDown(event)) event.preventDefault();
});
document.addEventListener('keyup', (event) => controls?.keyUp(event));
window.addEventListener('blur', () => controls?.releaseAll());

// A page that nobody sees need not cost a processor.
function rest() {
  pausedByHiding = true;
  link.say({type: 'pause'});
}

document.addEventListener('visibilitychange', () => {
  controls?.releaseAll();
  if (document.hidden && !status.paused) {
    rest();
  } else if (!document.hidden && pausedByHiding) {
    pausedByHiding = false;
    link.say({type: 'resume'});
  }
});

// ---- how it looks

function setSmooth(smooth) {
  $('screen').classList.toggle('smooth', smooth);
  $('pixels').setAttribute('aria-pressed', String(!smooth));
  $('smooth').setAttribute('aria-pressed', String(smooth));
  remember('smooth', smooth ? '1' : '0');
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  remember('theme', theme ?? '');
}

function remember(key, value) {
  try { localStorage.setItem(`orrery-${key}`, value); } catch { /* a browser that keeps nothing still plays */ }
}

function recall(key) {
  try { return localStorage.getItem(`orrery-${key}`); } catch { return null; }
}

let toastTimer = 0;
function toast(text) {
  $('toast').textContent = text;
  $('toast').classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $('toast').classList.remove('shown'), 4000);
}

function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }

$('pixels').addEventListener('click', () => setSmooth(false));
$('smooth').addEventListener('click', () => setSmooth(true));
$('theme').addEventListener('click', () => {
  const dark = getComputedStyle(document.documentElement).getPropertyValue('color-scheme').trim() === 'dark' ||
      (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  setTheme(dark ? 'light' : 'dark');
});

setInterval(() => {
  const show = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
  $('fps').textContent = show(meters.fps, 1);
  $('latency-p50').textContent = show(meters.latency(0.5));
  $('latency-p99').textContent = show(meters.latency(0.99));
  $('step-ms').textContent = show(meters.stepMs, 1);
}, 250);

setTheme(recall('theme') || null);
setSmooth(recall('smooth') === '1');
if (matchMedia('(max-width: 899px)').matches) $('keys-section').open = false;
link.open();
