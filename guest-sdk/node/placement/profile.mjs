// Finds the allocations of booting that stay, and which of those typical calls read and write: `node profile.mjs ENGINE.wasm
// OUT`. The engine must be built with the feature `trace-allocations` and tell of its loads and stores
// (`xtask/src/engines/placement.rs`). What is written to OUT is read by `engine/src/alloc.rs`.

import { readFileSync, writeFileSync } from "node:fs";
import { samples } from "./samples.mjs";

const [enginePath, outPath] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(enginePath));

const GRAIN_BYTES = 8;

/** An engine that boots once and runs samples from there, and remembers what it allocates, reads and writes. */
class Session {
  /** Of booting, by number: where each lies, and how large it is. */
  allocations = [];
  /** The number of the living allocation at each address. */
  living = new Map();
  /** Grains that the calls read, and those that they wrote. */
  loaded = new Set();
  stored = new Set();
  isCalling = false;
  operations = [];
  elapsedUs = 0;

  constructor() {
    this.exports = new WebAssembly.Instance(module, this.imports()).exports;
    this.exports.boot();
    this.isBooted = true;
    this.image = this.exports.memory.buffer.slice();
  }

  get view() {
    return new DataView(this.exports.memory.buffer);
  }

  imports() {
    return {
      trace: {
        allocated: (block, size) => {
          if (this.isBooted) return;
          this.living.set(block, this.allocations.length);
          this.allocations.push({ block, size });
        },
        freed: (block) => this.isBooted || this.living.delete(block),
        loaded: (start, length) => this.note(this.loaded, start, length),
        stored: (start, length) => this.note(this.stored, start, length),
      },
      "mirra:function/clocks@0.1.0": { "unix-time-us": () => 0n, "elapsed-us": () => BigInt(this.elapsedUs) },
      "mirra:function/files@0.1.0": {
        find: (_folder, _start, _length, answer) => this.view.setUint8(answer, 0),
        read: (_id, _offset, _length, answer) => this.none(answer),
        names: (_id, answer) => this.none(answer),
      },
      "mirra:function/random@0.1.0": { "next-u64": () => 0x9e3779b97f4a7c15n },
      // Answers none: the engine hashes for itself.
      "mirra:function/hashing@0.1.0": { compress: (...words) => this.view.setUint8(words.at(-1), 0) },
      "mirra:function/logging@0.1.0": { log: () => {} },
      "mirra:function/metering@0.1.0": { tick: () => 100_000, finish: () => {} },
      "mirra:function/operations@0.1.0": {
        start: () => this.operations.push(0),
        next: () => {},
        cancel: () => {},
        wait: (hasTimeout, timeoutUs, answer) => this.wait(hasTimeout !== 0, timeoutUs, answer),
      },
    };
  }

  note(grains, start, length) {
    if (!this.isCalling) return;
    for (let at = start - (start % GRAIN_BYTES); at < start + length; at += GRAIN_BYTES) grains.add(at);
  }

  /** Completes the last operation with `null`, or lets the time pass. Writes an `option<completion>`. */
  wait(hasTimeout, timeoutUs, answer) {
    const id = this.operations.length;
    if (id === 0) {
      if (hasTimeout) this.elapsedUs += Number(timeoutUs);
      this.view.setUint8(answer, 0);
      return;
    }
    this.operations.pop();
    const json = this.write("null");
    const { view } = this;
    view.setUint8(answer, 1);
    view.setUint32(answer + 4, id, true);
    view.setUint8(answer + 8, 1);
    view.setUint8(answer + 12, 0);
    view.setUint32(answer + 16, json.start, true);
    view.setUint32(answer + 20, json.length, true);
  }

  /** Writes a list without elements. */
  none(answer) {
    this.view.setUint32(answer, 1, true);
    this.view.setUint32(answer + 4, 0, true);
  }

  write(text, allocate = (length) => this.exports.cabi_realloc(0, 0, 1, length)) {
    const bytes = new TextEncoder().encode(text);
    const start = allocate(bytes.length);
    new Uint8Array(this.exports.memory.buffer).set(bytes, start);
    return { start, length: bytes.length };
  }

  run({ code, event }) {
    const memory = new Uint8Array(this.exports.memory.buffer);
    memory.fill(0);
    memory.set(new Uint8Array(this.image));
    this.elapsedUs = 0;
    this.write(code, this.exports.source_buffer);
    if (this.exports.load() !== 0) throw new Error(`a sample does not load: ${code}`);
    this.isCalling = true;
    const parameters = [event, { executionId: "x", deadline: 1 }].map((value) => this.write(JSON.stringify(value)));
    this.exports["mirra:function/handler@0.1.0#handle"](...parameters.flatMap(({ start, length }) => [start, length]));
    this.isCalling = false;
  }

  /** The numbers of the allocations of booting that lie in these grains. */
  allocationsIn(grains) {
    const numbers = new Set();
    for (const [block, number] of this.living) {
      const end = block + this.allocations[number].size;
      // The header in front of it is read and written with it.
      for (let at = block - GRAIN_BYTES; at < end; at += GRAIN_BYTES) if (grains.has(at)) numbers.add(number);
    }
    return numbers;
  }
}

const HOT = 0;
const WARM = 1;
const COLD = 2;

/** As `engine/src/alloc.rs` reads it. */
function encode(places) {
  const bytes = [];
  let next = 0;
  for (const [number, place] of places) {
    let entry = (number - next) * 4 + place;
    next = number + 1;
    for (; entry > 0x7f; entry >>>= 7) bytes.push((entry & 0x7f) | 0x80);
    bytes.push(entry);
  }
  return Uint8Array.from(bytes);
}

const session = new Session();
for (const sample of samples) session.run(sample);
const [hot, warm] = [session.allocationsIn(session.stored), session.allocationsIn(session.loaded)];
const lasting = [...session.living.values()].sort((a, b) => a - b);
const places = lasting.map((number) => [number, hot.has(number) ? HOT : warm.has(number) ? WARM : COLD]);
writeFileSync(outPath, encode(places));

console.log(`booting makes ${session.allocations.length} allocations, of which there stay:`);
for (const [place, name] of ["written to by calls", "read by calls", "left alone"].entries()) {
  const sizes = places.filter((entry) => entry[1] === place).map(([number]) => session.allocations[number].size);
  console.log(`  ${name}: ${sizes.length}, ${(sizes.reduce((sum, size) => sum + size, 0) / 1000).toFixed(0)} kB`);
}
