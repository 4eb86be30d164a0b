// Small things that several modules use.

export function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// What is printed on a key, by KeyboardEvent.code.
export function keyLabel(code) {
  const signs = {ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Space: 'Space', Period: '.'};
  return signs[code] ?? code.replace(/^Key|^Digit/, '');
}
