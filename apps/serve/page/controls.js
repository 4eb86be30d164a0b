// Keys, pads and sliders: what is held, as one action.
import {Choices} from './actions.js';
import {element, keyLabel} from './parts.js';

const PLACES = {'strafe left': 'a', up: 'b', 'strafe right': 'c', left: 'd', down: 'e', right: 'f'};

export class Controls {
  // `onaction(action, time)`: the held action changed at `time` (of performance.now()).
  constructor(space, {pads, sliders, numbers}, onaction) {
    this.onaction = onaction;
    this.space = space;
    this.held = [];           // controls, the latest last
    this.sources = new Map(); // key code or pointer id -> control
    this.number = null;       // index of the action of a number key
    this.values = space instanceof Choices ? [] : [...space.rest];
    this.spring = true;
    this.pads = new Map();
    this.makePads(pads);
    if (!(space instanceof Choices)) this.makeSliders(sliders);
    this.numberActions(numbers);
    this.codes = new Map();
    for (const [control, codes] of space.keys) for (const code of codes) this.codes.set(code, control);
    this.action = this.choose();
  }

  choose() {
    if (this.number !== null) return [this.number];
    return this.space.choose(this.held, this.values);
  }

  update(time) {
    for (const [control, pad] of this.pads) pad.classList.toggle('held', this.held.includes(control));
    const action = this.choose();
    if (JSON.stringify(action) === JSON.stringify(this.action)) return;
    this.action = action;
    this.onaction(action, time);
  }

  press(source, control, time) {
    const before = this.sources.get(source);
    if (before === control) return;
    this.sources.set(source, control);
    this.collect(time);
  }

  release(source, time) {
    if (this.sources.delete(source)) this.collect(time);
  }

  releaseAll() {
    this.sources.clear();
    this.number = null;
    this.numberCode = null;
    this.collect(performance.now());
  }

  collect(time) {
    this.held = [...new Set([...this.sources.values()].filter(Boolean))];
    this.update(time);
  }

  // True when the key belongs to the play.
  keyDown(event) {
    const digit = event.code.match(/^Digit(\d)$/);
    if (digit && this.space instanceof Choices) {
      const index = (Number(digit[1]) + 9) % 10;
      if (index >= this.space.names.length) return false;
      this.number = index;
      this.numberCode = event.code;
      this.update(event.timeStamp);
      return true;
    }
    const control = this.codes.get(event.code);
    if (control === undefined) return false;
    if (!event.repeat) this.press(event.code, control, event.timeStamp);
    return true;
  }

  keyUp(event) {
    if (event.code === this.numberCode) {
      this.number = null;
      this.numberCode = null;
      this.update(event.timeStamp);
    }
    this.release(event.code, event.timeStamp);
  }

  makePads(root) {
    const board = element('div', 'pads'), cross = element('div', 'cross'), others = element('div', 'others');
    for (const [control, codes] of this.space.keys) {
      const pad = element('button', 'pad');
      pad.type = 'button';
      pad.dataset.control = control;
      const caps = codes.length ? codes.map(keyLabel) : [];
      pad.append(element('span', 'cap', caps.join(' ')), element('span', 'pad-name', this.space.label(control)));
      pad.setAttribute('aria-label', caps.length ? `${this.space.label(control)}, key ${caps.join(' or ')}` : this.space.label(control));
      if (PLACES[control]) pad.classList.add(`place-${PLACES[control]}`);
      (PLACES[control] ? cross : others).append(pad);
      this.pads.set(control, pad);
    }
    board.append(...[cross, others].filter((part) => part.children.length));
    root.replaceChildren(board);
    this.listenToPads(board);
  }

  // Every finger holds the pad that it is on, and may slide from one to the next.
  listenToPads(board) {
    const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest('.pad')?.dataset.control;
    board.addEventListener('pointerdown', (event) => {
      if (!event.target.closest('.pad') || event.button !== 0) return;
      event.preventDefault();
      board.setPointerCapture(event.pointerId);
      this.press(`pointer ${event.pointerId}`, under(event), event.timeStamp);
    });
    board.addEventListener('pointermove', (event) => {
      const source = `pointer ${event.pointerId}`;
      if (this.sources.has(source)) this.press(source, under(event), event.timeStamp);
    });
    for (const type of ['pointerup', 'pointercancel', 'lostpointercapture'])
      board.addEventListener(type, (event) => this.release(`pointer ${event.pointerId}`, event.timeStamp));
    board.addEventListener('contextmenu', (event) => event.preventDefault());
    // Enter and Space on a focused pad, for those who walk the page by Tab.
    const byKey = (event) => (event.code === 'Enter' || event.code === 'Space') && event.target.closest('.pad')?.dataset.control;
    board.addEventListener('keydown', (event) => {
      const control = byKey(event);
      if (!control) return;
      event.preventDefault();
      event.stopPropagation();
      this.press('focus', control, event.timeStamp);
    });
    board.addEventListener('keyup', (event) => byKey(event) && this.release('focus', event.timeStamp));
    board.addEventListener('focusout', (event) => this.release('focus', event.timeStamp));
  }

  makeSliders(root) {
    root.hidden = false;
    root.replaceChildren();
    this.space.names.forEach((name, axis) => {
      const {low, high, rest} = {low: this.space.low[axis], high: this.space.high[axis], rest: this.space.rest[axis]};
      const input = element('input');
      Object.assign(input, {type: 'range', min: low, max: high, step: (high - low) / 200, value: rest, id: `slider-${axis}`});
      const value = element('output', '', rest.toFixed(2));
      const label = element('label', 'slider');
      label.append(element('span', '', name), input, value);
      const set = (number, time) => {
        this.values[axis] = number;
        value.textContent = number.toFixed(2);
        this.update(time);
      };
      input.addEventListener('input', (event) => set(Number(input.value), event.timeStamp));
      const back = (event) => {
        if (!this.spring) return;
        input.value = rest;
        set(rest, event.timeStamp);
      };
      input.addEventListener('pointerup', back);
      input.addEventListener('change', (event) => !event.isTrusted || back(event));
      root.append(label);
    });
    const box = element('input');
    Object.assign(box, {type: 'checkbox', checked: true, id: 'spring'});
    box.addEventListener('change', () => (this.spring = box.checked));
    const label = element('label', 'check');
    label.append(box, element('span', '', 'spring back when let go'));
    root.append(label);
  }

  numberActions(note) {
    if (!(this.space instanceof Choices)) return void (note.textContent = '');
    const list = this.space.names.slice(0, 10).map((name, i) => `${(i + 1) % 10} ${this.space.describe([i])}`);
    note.textContent = `Number keys: ${list.join(' · ')}`;
  }
}
