// Usage: node compile.mjs ENGINE.wasm SOURCES OUT: runs the Python engine, as its host would, until it has compiled the standard
// library in the folder SOURCES, and writes the compiled modules into the folder OUT.

import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [engine, sources, out] = process.argv.slice(2);
const started = process.hrtime.bigint();
const text = { decoder: new TextDecoder(), encoder: new TextEncoder() };

// The tree that the engine sees: files are Buffers, folders Maps. An id is a place in `nodes`.
const nodes = [new Map()];

function add(folder, name, node) {
  nodes[folder].set(name, nodes.push(node) - 1);
  return nodes.length - 1;
}

function addFolder(id, path) {
  for (const name of readdirSync(path).sort()) {
    const child = join(path, name);
    if (statSync(child).isDirectory()) addFolder(add(id, name, new Map()), child);
    else add(id, name, readFileSync(child));
  }
}

addFolder(add(0, "python", new Map()), sources);
add(add(0, "handler", new Map()), "compile.py", readFileSync(new URL("compile.py", import.meta.url)));
add(0, "packages", new Map());

function find(folder, path) {
  let id = folder;
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    id = nodes[id] instanceof Map ? nodes[id].get(part) : undefined;
    if (id === undefined) return undefined;
  }
  return id;
}

let exports;
const bytes = (start, length) => Buffer.from(exports.memory.buffer, start, length);
const string = (start, length) => text.decoder.decode(bytes(start, length));
const word = (at, value) => new DataView(exports.memory.buffer).setUint32(at, value, true);

function place(content, align = 1) {
  const start = exports.cabi_realloc(0, 0, align, content.length);
  bytes(start, content.length).set(content);
  return start;
}

function list(answer, start, length) {
  word(answer, start);
  word(answer + 4, length);
}

function logged(level, start, length) {
  const line = string(start, length);
  const [, name, code] = /^(\S+\.py) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
  if (name === undefined) return console.error(line);
  const path = join(out, `${name}c`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.from(code, "base64"));
}

const imports = {
  "mirra:function/clocks@0.1.0": {
    "unix-time-us": () => BigInt(Date.now()) * 1000n,
    "elapsed-us": () => (process.hrtime.bigint() - started) / 1000n,
    "sleep-us": () => {},
  },
  "mirra:function/random@0.1.0": { "next-u64": () => 4n },
  "mirra:function/logging@0.1.0": { log: logged },
  "mirra:function/operations@0.1.0": { start: () => 0, next: () => {}, cancel: () => {}, wait: (has, us, answer) => bytes(answer, 1).fill(0) },
  "mirra:function/files@0.1.0": {
    find(folder, start, length, answer) {
      const id = find(folder, string(start, length));
      bytes(answer, 24).fill(0);
      if (id === undefined) return;
      const view = new DataView(exports.memory.buffer, answer);
      view.setUint8(0, 1);
      view.setUint32(8, id, true);
      view.setUint8(12, nodes[id] instanceof Map ? 1 : 0);
      view.setBigUint64(16, BigInt(nodes[id].length ?? 0), true);
    },
    read(id, offset, length, answer) {
      const content = nodes[id].subarray(Number(offset), Number(offset) + (length >>> 0));
      list(answer, place(content), content.length);
    },
    names(id, answer) {
      const names = [...nodes[id]].map(([name, child]) => text.encoder.encode(nodes[child] instanceof Map ? `${name}/` : name));
      const words = new Uint32Array(names.flatMap((name) => [place(name), name.length]));
      list(answer, place(new Uint8Array(words.buffer), 4), names.length);
    },
  },
};

({ exports } = (await WebAssembly.instantiate(readFileSync(engine), imports)).instance);
exports.boot();
const entry = text.encoder.encode("/handler/compile.py");
bytes(exports.source_buffer(entry.length), entry.length).set(entry);
const error = exports.load();
if (error !== 0) {
  const view = new DataView(exports.memory.buffer);
  const parts = [4, 12, 20].map((at) => string(view.getUint32(error + at, true), view.getUint32(error + at + 4, true)));
  throw new Error(parts.join("\n"));
}
