// Typical calls: whatever these write to in the base image is laid side by side. `event` is what the handler is called with.

export const samples = [
  { event: { name: "Ada" }, code: "export const handler = (event) => ({ success: true, greeting: `Hello, ${event.name}!` });" },
  { event: {}, code: "export async function handler(event, context) { return { id: context.executionId }; }" },
  { event: { n: 3 }, code: "export default async ({ n }) => { await null; return Array.from({ length: n }, (_, i) => i * 2); };" },
  {
    event: { items: [{ price: 2.5, count: 2 }, { price: 1, count: 3 }] },
    code: `export function handler({ items }) {
      const totals = items.map(({ price, count }) => price * count).filter((total) => total > 0);
      return { total: totals.reduce((sum, total) => sum + total, 0), names: Object.keys(items[0]).sort().join() };
    }`,
  },
  { event: {}, code: "export function handler() { throw new TypeError('no'); }" },
  { event: {}, code: "export async function handler() { try { null.x; } catch (error) { return error.message; } }" },
  { event: { a: 1 }, code: "export function handler(event) { console.log('got', event, 1); console.error(new Error('no')); return event; }" },
  { event: {}, code: "export const handler = () => new Promise((resolve) => setTimeout(() => resolve(Date.now()), 1));" },
  { event: {}, code: "export async function handler() { await new Promise((resolve) => queueMicrotask(resolve)); return Math.random(); }" },
  {
    event: { key: "k" },
    code: `export async function handler({ key }, context, mirra) {
      const [one, two] = await Promise.all([mirra.memory.get({ key }), mirra.resources.shop.list({ key })]);
      return { one, two, left: context.remainingTime() };
    }`,
  },
  {
    event: { url: "https://example.com/a/b?c=1&d=2" },
    code: `export function handler({ url }) {
      const { pathname, searchParams } = new URL(url);
      return { pathname, c: searchParams.get("c"), at: new Date(0).toISOString(), id: crypto.randomUUID().length };
    }`,
  },
  {
    event: { text: "one two  three" },
    code: `class Counter {
      #words = new Map();
      add(word) { this.#words.set(word, (this.#words.get(word) ?? 0) + 1); return this; }
      get all() { return Object.fromEntries(this.#words); }
    }
    export function handler({ text }) {
      const counter = new Counter();
      for (const word of text.toLowerCase().split(/\\s+/)) counter.add(word.padStart(8).trim());
      return { words: counter.all, bytes: new TextEncoder().encode(text).length, set: [...new Set([1, 1, 2])] };
    }`,
  },
];
