// Finds the allocations of booting that stay, and those that typical calls write to: `node profile.mjs ENGINE.wasm OUT`. The engine must be built
// with the feature `trace-allocations` and tell of its stores (`xtask/src/engines/placement.rs`). What is written to OUT is
// read by `engine/src/alloc.rs`.

import { readFileSync, writeFileSync } from "node:fs";
import { samples } from "./samples.mjs";

const [enginePath, outPath] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(enginePath));

const GRAIN_BYTES = 8;

/** An engine that runs one sample, and remembers what it allocated and wrote to. */
class Session {
  /** By number: where each allocation of booting lies, and how large it is. */
  allocations = [];
  /** The number of the living allocation at each address. */
  living = new Map();
  /** Grains that were stored to since `watch`. */
  stored = new Set();
  isWatching = false;
  operations = [];

  constructor() {
    this.exports = new WebAssembly.Instance(module, this.imports()).exports;
    this.exports.boot();
    this.booted = { allocations: this.allocations, living: new Map(this.living) };
    this.allocations = [];
  }

  get view() {
    return new DataView(this.exports.memory.buffer);
  }

  imports() {
    return {
      trace: {
        allocated: (block, size) => {
          this.living.set(block, this.allocations.length);
          this.allocations.push({ block, size });
        },
        freed: (block) => this.living.delete(block),
        stored: (start, length) => {
          if (!this.isWatching) return;
          for (let at = start - (start % GRAIN_BYTES); at < start + length; at += GRAIN_BYTES) this.stored.add(at);
        },
      },
      "mirra:function/clocks@0.1.0": { "unix-time-us": () => 0n, "elapsed-us": () => BigInt(this.elapsedUs ?? 0) },
      "mirra:function/random@0.1.0": { "next-u64": () => 0x9e3779b97f4a7c15n },
      "mirra:function/logging@0.1.0": { log: () => {} },
      "mirra:function/metering@0.1.0": { tick: () => 100_000, finish: () => {} },
      "mirra:function/operations@0.1.0": {
        start: () => this.operations.push(0),
        wait: (hasTimeout, timeoutUs, answer) => this.wait(hasTimeout !== 0, timeoutUs, answer),
      },
    };
  }

  /** Completes the last operation with `null`, or lets the time pass. Writes an `option<completion>`. */
  wait(hasTimeout, timeoutUs, answer) {
    const id = this.operations.length;
    if (id === 0) {
      if (hasTimeout) this.elapsedUs = (this.elapsedUs ?? 0) + Number(timeoutUs);
      this.view.setUint8(answer, 0);
      return;
    }
    this.operations.pop();
    const json = this.write("null");
    const { view } = this;
    view.setUint8(answer, 1);
    view.setUint32(answer + 4, id, true);
    view.setUint8(answer + 8, 0);
    view.setUint32(answer + 12, json.start, true);
    view.setUint32(answer + 16, json.length, true);
  }

  write(text, allocate = (length) => this.exports.cabi_realloc(0, 0, 1, length)) {
    const bytes = new TextEncoder().encode(text);
    const start = allocate(bytes.length);
    new Uint8Array(this.exports.memory.buffer).set(bytes, start);
    return { start, length: bytes.length };
  }

  run({ code, event }) {
    this.write(code, this.exports.source_buffer);
    if (this.exports.load() !== 0) throw new Error(`a sample does not load: ${code}`);
    this.isWatching = true;
    const parameters = [event, { executionId: "x", deadline: 1 }].map((value) => this.write(JSON.stringify(value)));
    this.exports["mirra:function/handler@0.1.0#handle"](...parameters.flatMap(({ start, length }) => [start, length]));
  }

  /** The numbers of the allocations of booting that were stored to. */
  hot() {
    const owners = new Map();
    for (const [block, number] of this.booted.living) {
      const end = block + this.booted.allocations[number].size;
      for (let at = block - (block % GRAIN_BYTES); at < end; at += GRAIN_BYTES) owners.set(at, number);
    }
    return [...this.stored].map((at) => owners.get(at)).filter((number) => number !== undefined);
  }
}

/** As `engine/src/alloc.rs` reads it. */
function encode(lasting, hot) {
  const bytes = [];
  let next = 0;
  for (const number of lasting) {
    let entry = (number - next) * 2 + (hot.has(number) ? 1 : 0);
    next = number + 1;
    for (; entry > 0x7f; entry >>>= 7) bytes.push((entry & 0x7f) | 0x80);
    bytes.push(entry);
  }
  return Uint8Array.from(bytes);
}

const hot = new Set();
let booted;
for (const sample of samples) {
  const session = new Session();
  session.run(sample);
  ({ booted } = session);
  for (const number of session.hot()) hot.add(number);
}
const lasting = [...booted.living.values()].sort((a, b) => a - b);
writeFileSync(outPath, encode(lasting, hot));

const kilobytes = (numbers) => ([...numbers].reduce((sum, number) => sum + booted.allocations[number].size, 0) / 1000).toFixed(0);
console.log(`booting makes ${booted.allocations.length} allocations; ${lasting.length} stay (${kilobytes(lasting)} kB),`);
console.log(`calls write to ${hot.size} (${kilobytes(hot)} kB)`);
