// CPU-bound work of several kinds; each answers how long it took by itself, so that only the handler's own time counts.
const text = Array.from({ length: 4000 }, (_, i) => `user${i}@example${i % 7}.com`).join(' ');

const work = {
  fib() {
    const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
    return fib(23);
  },
  loop() {
    let sum = 0;
    for (let i = 0; i < 1_000_000; i++) sum = (sum + i * 7) | 0;
    return sum;
  },
  json() {
    const rows = Array.from({ length: 3000 }, (_, i) => ({ id: i, name: `row ${i}`, tags: ['a', 'b'], nested: { x: i / 3 } }));
    return JSON.parse(JSON.stringify(rows)).length;
  },
  regex() {
    return text.match(/[a-z0-9]+@[a-z0-9]+\.com/g).length;
  },
  sort() {
    let seed = 42;
    const numbers = Array.from({ length: 20_000 }, () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff));
    return numbers.sort((a, b) => a - b)[0];
  },
  strings() {
    let out = '';
    for (let i = 0; i < 60_000; i++) out += i.toString(36);
    return out.length;
  },
  objects() {
    const map = new Map();
    for (let i = 0; i < 40_000; i++) map.set(`k${i % 500}`, { i, previous: map.get(`k${i % 500}`)?.i });
    return map.size;
  },
};

export function handler(event) {
  return work[event.work]();
}
