// What the names of a world's actions mean to a hand: which controls there are and which action a set of held controls is.

const IDLE = /^(no-?op|no[ _-]?action|none|nothing|stay|idle|wait|still|stop)$/i;
const WORDS = {
  up: 'up', forward: 'up', forwards: 'up', ahead: 'up', north: 'up', accelerate: 'up', gas: 'up',
  down: 'down', back: 'down', backward: 'down', backwards: 'down', south: 'down', brake: 'down', reverse: 'down',
  left: 'left', west: 'left', right: 'right', east: 'right',
};
const FILLERS = new Set(['move', 'turn', 'go', 'walk', 'steer', 'look', 'press', 'push', 'and']);
const JOINED = /^(up|down)?(left|right)?(fire)?$/;  // Atari: UPRIGHTFIRE

// Codes of the keys (KeyboardEvent.code) of the controls that most worlds have.
const KEYS = {
  up: ['KeyW', 'ArrowUp'], down: ['KeyS', 'ArrowDown'], left: ['KeyA', 'ArrowLeft'], right: ['KeyD', 'ArrowRight'],
  'strafe left': ['KeyQ'], 'strafe right': ['KeyE'],
};
const SPARE = ['Space', 'KeyX', 'KeyC', 'KeyV', 'KeyG', 'KeyT', 'KeyY', 'KeyH', 'KeyJ', 'KeyL'];

export function plainName(name) {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ').trim().toLowerCase();
}

// "MOVE_FORWARD" -> ["up"], "forward-left" -> ["up", "left"], "ATTACK" -> ["attack"], "noop" -> [].
function controlsOf(name, sidesteps) {
  if (IDLE.test(name.trim())) return [];
  const plain = plainName(name);
  const joined = plain.match(JOINED);
  if (joined) return joined.slice(1).filter(Boolean);
  const words = plain.split(/[^a-z0-9]+/).filter(Boolean);
  const sidestep = words.includes('strafe') || (sidesteps && words.includes('move') && !words.includes('turn'));
  const known = words.filter((word) => word !== 'strafe' && !FILLERS.has(word));
  if (!known.length || !known.every((word) => word in WORDS)) return [plain];
  return known.map((word) => {
    const control = WORDS[word];
    return sidestep && (control === 'left' || control === 'right') ? `strafe ${control}` : control;
  });
}

// A discrete action space: controls, and held controls -> index.
export class Choices {
  constructor(space) {
    this.names = Array.from({length: space.count}, (_, i) => space.names[i] ?? `action ${i}`);
    const sidesteps = this.names.some((name) => /turn/i.test(name));
    this.controls = this.names.map((name) => controlsOf(name, sidesteps));
    const idle = this.controls.findIndex((list) => list.length === 0);
    this.idle = idle >= 0 ? idle : null;
    this.keys = assignKeys([...new Set(this.controls.flat())]);
  }

  // The action with the most held controls and no other; among equals the one with the control pressed last.
  choose(held) {
    let best = this.idle, bestScore = 0;
    this.controls.forEach((list, index) => {
      if (!list.length || !list.every((control) => held.includes(control))) return;
      const score = list.length * 100 + Math.max(...list.map((control) => held.indexOf(control)));
      if (score >= bestScore + (best === this.idle ? 0 : 1)) [best, bestScore] = [index, score];
    });
    return best === null ? null : [best];
  }

  describe(action) {
    return action ? plainName(this.names[action[0]] ?? `action ${action[0]}`) : 'waiting for a key';
  }

  // What a control is called on its pad: the name of the action that it is alone.
  label(control) {
    const alone = this.controls.findIndex((list) => list.length === 1 && list[0] === control);
    return alone >= 0 ? plainName(this.names[alone]) : control;
  }
}

// A continuous action space: each number has a slider, the first two also a pair of keys.
export class Axes {
  constructor(space) {
    this.names = Array.from({length: space.dims}, (_, i) => plainName(space.names[i] ?? `axis ${i + 1}`));
    this.low = this.names.map((_, i) => space.low[i] ?? -1);
    this.high = this.names.map((_, i) => space.high[i] ?? 1);
    this.rest = this.names.map((_, i) => Math.min(Math.max(0, this.low[i]), this.high[i]));
    this.pairs = {};  // control -> {axis, value}
    const free = [['right', 'left'], ['up', 'down']];
    const take = (axis, vertical, flip) => {
      const pair = free.find((p) => (p[0] === 'up') === vertical);
      if (!pair) return;
      free.splice(free.indexOf(pair), 1);
      this.pairs[pair[flip ? 1 : 0]] = {axis, value: this.high[axis]};
      this.pairs[pair[flip ? 0 : 1]] = {axis, value: this.low[axis]};
    };
    const done = new Set();
    this.names.forEach((name, axis) => {
      const turn = /\b(turn|yaw|angle|rotate)/.test(name);  // counter-clockwise is positive: left
      if (!turn && !/\b(x|steer|steering|side|right)/.test(name) && !/\b(y|forward|gas|throttle|speed|up|move)/.test(name)) return;
      done.add(axis);
      take(axis, !turn && !/\b(x|steer|steering|side|right)/.test(name), turn);
    });
    this.names.forEach((_, axis) => {
      if (!done.has(axis) && free.length) take(axis, free[0][0] === 'up', false);
    });
    for (const [control, {axis, value}] of Object.entries(this.pairs)) if (value === this.rest[axis]) delete this.pairs[control];
    this.keys = assignKeys(Object.keys(this.pairs));
  }

  choose(held, sliders) {
    const action = [...sliders];
    for (const control of held) {
      const pair = this.pairs[control];
      if (pair) action[pair.axis] = pair.value;
    }
    return action;
  }

  describe(action) {
    return action.map((value, i) => `${this.names[i]} ${value.toFixed(2)}`).join(', ') || 'none';
  }

  label(control) {
    const {axis, value} = this.pairs[control];
    return `${this.names[axis]} ${value > this.rest[axis] ? '+' : '−'}`;
  }
}

// Control -> codes of the keys that hold it.
function assignKeys(controls) {
  const spare = [...SPARE];
  return new Map(controls.map((control) => [control, KEYS[control] ?? spare.splice(0, 1)]));
}

export function handle(space) {
  if (space.count > 0) return new Choices(space);
  return new Axes(space);
}
