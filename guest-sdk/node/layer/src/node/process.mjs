// The process that a handler believes to be: itself, for the time of one call.

import { failCall } from "../timers.mjs";
import { native } from "../native.mjs";
import { builtin } from "../builtins.mjs";
import EventEmitter from "./events.mjs";
import { coded, validateFunction } from "./internal/errors.mjs";
import { HOME } from "./internal/fs-own.mjs";
import { refuse } from "./internal/refused.mjs";

/** Packages compare it to decide what they may use. It is the release whose own modules these are tested against. */
const NODE_VERSION = "20.20.2";

const INFO = 1;
const ERROR = 3;

/** A promise's callback goes with its stores and before every timer, as Node's next tick does. */
function nextTick(callback, ...args) {
  validateFunction(callback, "callback");
  queueMicrotask(() => callback(...args));
}

function hrtime(since) {
  const us = native.elapsedUs();
  const [seconds, nanoseconds] = [Math.floor(us / 1e6), Math.round((us % 1e6) * 1e3)];
  if (since === undefined) return [seconds, nanoseconds];
  const isBorrowing = nanoseconds < since[1];
  return [seconds - since[0] - (isBorrowing ? 1 : 0), nanoseconds - since[1] + (isBorrowing ? 1e9 : 0)];
}
hrtime.bigint = () => BigInt(Math.round(native.elapsedUs() * 1e3));

function exit(code = process.exitCode ?? 0) {
  process.emit("exit", code);
  const error = coded(new Error(`process.exit(${code}) ends the call: a handler returns its result or throws`), "ERR_PROCESS_EXIT");
  // Whoever catches it goes on until the call is ended all the same.
  failCall(error);
  throw error;
}

function emitWarning(warning, typeOrOptions, code) {
  const options = typeof typeOrOptions === "object" ? typeOrOptions : { type: typeOrOptions, code };
  const error = typeof warning === "string" ? Object.assign(new Error(warning), { name: options?.type ?? "Warning" }) : warning;
  if (options?.code !== undefined) error.code = options.code;
  console.warn(`${error.code ? `[${error.code}] ` : ""}${error.name}: ${error.message}`);
  nextTick(() => process.emit("warning", error));
}

/** Each write is a line of the log. */
function output(fd, level) {
  const { Writable } = builtin("stream");
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, encoding, done) {
      const text = typeof chunk === "string" ? chunk : chunk.toString();
      native.log(level, (text.endsWith("\n") ? text.slice(0, -1) : text).toWellFormed());
      done();
    },
  });
  return Object.assign(stream, { fd, isTTY: false, _type: "fs" });
}

function input() {
  const { Readable } = builtin("stream");
  return Object.assign(Readable.from([]), { fd: 0, isTTY: false });
}

/** What the engine has of memory; it keeps no other accounts. */
function memoryUsage() {
  const bytes = native.memoryBytes();
  return { rss: bytes, heapTotal: bytes, heapUsed: bytes, external: 0, arrayBuffers: 0 };
}

memoryUsage.rss = () => native.memoryBytes();

const process = Object.assign(Object.create(Object.create(EventEmitter.prototype, { constructor: { value: class process {} } })), {
  title: "mirra",
  version: `v${NODE_VERSION}`,
  versions: { node: NODE_VERSION, quickjs: "0.16" },
  release: { name: "node", lts: "Iron" },
  arch: "wasm32",
  platform: "linux",
  // What a handler is told comes with its event.
  env: {},
  argv: ["/usr/bin/node", `${HOME}/handler.js`],
  argv0: "node",
  execArgv: [],
  execPath: "/usr/bin/node",
  exitCode: undefined,
  pid: 1,
  ppid: 0,
  config: { target_defaults: {}, variables: {} },
  features: { inspector: false, debug: false, uv: false, ipv6: true, tls: false },
  abort: () => exit(134),
  cpuUsage: () => ({ user: Math.round(native.elapsedUs()), system: 0 }),
  cwd: () => HOME,
  emitWarning,
  exit,
  getBuiltinModule: (name) => builtin(name.replace(/^node:/, "")),
  hrtime,
  memoryUsage,
  nextTick,
  umask: () => 0o022,
  uptime: () => native.elapsedUs() / 1e6,
  ...refuse("process", "binding chdir dlopen kill setuid setgid", "a handler is no process"),
});
EventEmitter.call(process);
for (const name of ["getuid", "geteuid", "getgid", "getegid"]) process[name] = () => 1000;

// Streams are made when somebody looks: many packages name them, few write.
for (const [name, make] of [["stdin", input], ["stdout", () => output(1, INFO)], ["stderr", () => output(2, ERROR)]]) {
  let stream;
  Object.defineProperty(process, name, { get: () => (stream ??= make()), enumerable: true, configurable: true });
}
Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });

export default process;
