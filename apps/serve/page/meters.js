// Frames a second, and how long a key takes to become a picture.

const KEPT = 256;

export class Meters {
  constructor() { this.clear(); }

  clear() {
    this.times = [];
    this.latencies = [];
    this.steps = [];
    this.pending = [];  // {number, time} of inputs whose frame has not come
  }

  input(number, time) {
    this.pending.push({number, time});
    if (this.pending.length > 64) this.pending.shift();
  }

  // A frame was drawn. What it answers is timed at the next repaint, when the picture reaches the display.
  frame({input, stepMs, jump}) {
    const now = performance.now();
    this.times.push(now);
    while (this.times.length > 2 && now - this.times[0] > 2000) this.times.shift();
    if (!jump) keep(this.steps, stepMs);
    const answered = this.pending.filter(({number}) => number <= input);
    if (!answered.length) return;
    this.pending = this.pending.filter(({number}) => number > input);
    requestAnimationFrame(() => {
      const shown = performance.now();
      for (const {time} of answered) keep(this.latencies, shown - time);
    });
  }

  get fps() {
    const span = this.times.at(-1) - this.times[0];
    const quiet = performance.now() - this.times.at(-1) > 1500;
    return this.times.length < 2 || quiet ? 0 : (this.times.length - 1) * 1000 / span;
  }

  get stepMs() { return percentile(this.steps, 0.5); }
  latency(share) { return percentile(this.latencies, share); }
}

function keep(list, value) {
  list.push(value);
  if (list.length > KEPT) list.shift();
}

// By nearest rank; NaN of nothing.
export function percentile(values, share) {
  if (!values.length) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}
