// The shelves beside the picture: starts, kept moments, keys and facts.
import {element, keyLabel} from './parts.js';

export function showStarts(root, starts, pick) {
  root.replaceChildren(...starts.map(({label, picture}, index) => {
    const button = element('button', 'card');
    button.type = 'button';
    button.title = label;
    button.dataset.start = index;
    if (picture) {
      const image = element('img');
      Object.assign(image, {src: picture, alt: '', loading: 'lazy', decoding: 'async'});
      button.append(image);
    } else {
      button.append(element('span', 'blank', String(index + 1)));
    }
    button.append(element('span', 'card-name', label));
    button.setAttribute('aria-label', `Start at ${label}`);
    button.addEventListener('click', () => pick(index));
    const item = element('li');
    item.append(button);
    return item;
  }));
}

export function markStart(root, start) {
  for (const button of root.querySelectorAll('.card')) {
    const current = Number(button.dataset.start) === start;
    button.classList.toggle('current', current);
    if (current) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

// Kept moments; `picture(tick)` makes the canvas of a new one.
export class KeptShelf {
  constructor(section, root, {picture, rewind, forget}) {
    Object.assign(this, {section, root, picture, rewind, forget, items: new Map()});
  }

  show(kept) {
    for (const [id, item] of this.items) {
      if (kept.some((state) => state.id === id)) continue;
      item.remove();
      this.items.delete(id);
    }
    for (const {id, tick} of kept) {
      if (this.items.has(id)) continue;
      const item = this.make(id, tick);
      this.items.set(id, item);
      this.root.prepend(item);
    }
    this.section.hidden = kept.length === 0;
    this.latest = kept.at(-1)?.id ?? null;
  }

  make(id, tick) {
    const item = element('li');
    const back = element('button', 'card');
    back.type = 'button';
    back.dataset.kept = id;
    back.setAttribute('aria-label', `Rewind to frame ${tick}`);
    back.append(this.picture(tick), element('span', 'card-name', `frame ${tick}`));
    back.addEventListener('click', () => this.rewind(id));
    const drop = element('button', 'drop', '×');
    drop.type = 'button';
    drop.setAttribute('aria-label', `Forget frame ${tick}`);
    drop.addEventListener('click', () => this.forget(id));
    item.append(back, drop);
    return item;
  }
}

export function showKeys(root, space, shortcuts) {
  const rows = [];
  for (const [control, codes] of space.keys) rows.push([codes.map(keyLabel), space.label(control)]);
  for (const [code, what] of shortcuts) rows.push([[keyLabel(code)], what]);
  root.replaceChildren(...rows.filter(([caps]) => caps.length).map(([caps, what]) => {
    const row = element('div'), keys = element('dt');
    keys.append(...caps.map((cap) => element('kbd', '', cap)));
    row.append(keys, element('dd', '', what));
    return row;
  }));
}

export function showFacts(root, hello) {
  const facts = {model: hello.model, world: hello.world, 'frame': `${hello.width} × ${hello.height}`, ...hello.facts};
  root.replaceChildren(...Object.entries(facts).filter(([, value]) => value !== '' && value !== null).map(([name, value]) => {
    const row = element('div');
    row.append(element('dt', '', name), element('dd', '', typeof value === 'object' ? JSON.stringify(value) : String(value)));
    return row;
  }));
}
