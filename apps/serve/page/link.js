// The WebSocket: texts as objects, frames as pixels, and a new session when it breaks.

const MAGIC = 0x3152464f;

export function decodeFrame(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 48 || view.getUint32(0, true) !== MAGIC) throw new Error('a frame without its header');
  const bytes = view.getUint16(4, true), numbers = view.getUint16(6, true);
  const frame = {
    session: view.getUint32(8, true), sequence: view.getUint32(12, true), tick: view.getUint32(16, true),
    input: view.getUint32(20, true), width: view.getUint16(24, true), height: view.getUint16(26, true),
    stepMs: view.getFloat32(28, true), waitMs: view.getFloat32(32, true), jump: (view.getUint32(36, true) & 1) !== 0,
    timeMs: view.getFloat64(40, true), action: [], rgb: new Uint8Array(buffer, bytes),
  };
  for (let i = 0; i < numbers; ++i) frame.action.push(view.getFloat32(48 + 4 * i, true));
  if (frame.rgb.length !== frame.width * frame.height * 3) throw new Error('a frame of another size than its header says');
  return frame;
}

export class Link extends EventTarget {
  constructor() {
    super();
    this.tries = 0;
    this.timer = 0;
  }

  open() {
    clearTimeout(this.timer);
    this.emit('state', {state: 'opening', text: this.tries ? 'reconnecting' : 'connecting'});
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/play`);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({data}) => {
      if (typeof data === 'string') return this.hear(JSON.parse(data));
      this.emit('frame', decodeFrame(data));
    });
    socket.addEventListener('close', (event) => this.closed(event));
  }

  hear(message) {
    if (message.type === 'hello') {
      this.tries = 0;
      this.emit('state', {state: 'open', text: `session ${message.number}`});
    }
    this.emit(message.type, message);
  }

  // A session that idled away waits for its player; a lost one is tried again, more and more slowly.
  closed({code, reason}) {
    const asleep = code === 4001 || code === 1008;
    const text = reason || 'the connection is lost';
    this.emit('state', {state: asleep ? 'ended' : 'lost', text});
    if (asleep) return;
    const wait = Math.min(500 * 2 ** this.tries++, 8000);
    this.timer = setTimeout(() => this.open(), wait);
  }

  get ready() { return this.socket?.readyState === WebSocket.OPEN; }
  say(message) { if (this.ready) this.socket.send(JSON.stringify(message)); }
  emit(name, detail) { this.dispatchEvent(new CustomEvent(name, {detail})); }
}
