// The picture, the last few frames of it, and the trail of actions.

export class Screen {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', {alpha: false});
    this.recent = [];  // {tick, image}
  }

  draw({rgb, width, height, tick}) {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.closest('.stage').style.setProperty('--ratio', width / height);
    }
    const image = this.context.createImageData(width, height);
    const out = image.data;
    for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
      out[to] = rgb[from];
      out[to + 1] = rgb[from + 1];
      out[to + 2] = rgb[from + 2];
      out[to + 3] = 255;
    }
    this.context.putImageData(image, 0, 0);
    this.recent.push({tick, image});
    if (this.recent.length > 16) this.recent.shift();
  }

  // A canvas with the picture of that frame, or of now when it is long gone.
  copy(tick) {
    const {image} = this.recent.findLast((frame) => frame.tick === tick) ?? this.recent.at(-1);
    const copy = document.createElement('canvas');
    copy.width = image.width;
    copy.height = image.height;
    copy.getContext('2d').putImageData(image, 0, 0);
    return copy;
  }
}

// One column a frame, newest at the right: its colour is the action, a tall mark is a jump to another moment.
export class Trail {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.resize();
    new ResizeObserver(() => this.resize()).observe(canvas);
    setInterval(() => this.matchColours(), 1000);  // the theme may change
    this.matchColours();
  }

  matchColours() {
    const style = getComputedStyle(this.canvas);
    [this.ink, this.line] = [style.color, style.outlineColor];
  }

  resize() {
    const width = Math.max(60, Math.round(this.canvas.clientWidth / 4));
    if (this.canvas.width !== width) this.canvas.width = width;
  }

  add({jump, action}, idle) {
    const {width, height} = this.canvas;
    this.context.globalCompositeOperation = 'copy';
    this.context.drawImage(this.canvas, -1, 0);
    this.context.globalCompositeOperation = 'source-over';
    if (jump) {
      this.context.fillStyle = this.ink;
      this.context.fillRect(width - 1, 0, 1, height);
      return;
    }
    const still = idle !== undefined ? action[0] === idle : action.every((value) => Math.abs(value) < 1e-6);
    this.context.fillStyle = still ? this.line : colour(action, idle);
    this.context.fillRect(width - 1, still ? height / 2 - 1 : 1, 1, still ? 2 : height - 2);
  }
}

function colour(action, idle) {
  if (idle !== undefined) return `oklch(0.68 0.13 ${(75 + action[0] * 137.5) % 360})`;
  const angle = Math.atan2(action[1] ?? 0, action[0]) * 180 / Math.PI;
  return `oklch(0.68 0.13 ${(75 + angle + 360) % 360})`;
}
