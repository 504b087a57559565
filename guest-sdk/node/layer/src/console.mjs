// The console: one structured log line a call, at one of the host's four levels.

import { defineGlobal, indexOf, slice, toWellFormed } from "./intrinsics.mjs";
import { format, show } from "./format.mjs";
import { native } from "./native.mjs";
import { table } from "./table.mjs";

const DEBUG = 0;
const INFO = 1;
const WARN = 2;
const ERROR = 3;

/** What is longer is cut: the host bounds all lines of a call together, and one should not use that up. */
const LINE_CHARS_MAX = 64 * 1024;
const INDENT = "  ";

let indent = "";
const counts = new Map();
const started = new Map();

function write(level, text) {
  if (indent !== "") text = indent + (indexOf(text, "\n") < 0 ? text : text.replaceAll("\n", `\n${indent}`));
  const excess = text.length - LINE_CHARS_MAX;
  if (excess > 0) text = `${slice(text, 0, LINE_CHARS_MAX)}… (${excess} more characters)`;
  native.log(level, toWellFormed(text));
}

function group(...args) {
  if (args.length > 0) write(INFO, format(args));
  indent += INDENT;
}

function elapsed(label, args, method) {
  const start = started.get(label);
  if (start === undefined) {
    write(WARN, `No such label '${label}' for console.${method}()`);
    return;
  }
  const ms = (native.elapsedUs() - start) / 1000;
  const time = ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${Number(ms.toFixed(3))}ms`;
  write(INFO, format([`${label}: ${time}`, ...args]));
}

const methods = {
  debug: (...args) => write(DEBUG, format(args)),
  log: (...args) => write(INFO, format(args)),
  info: (...args) => write(INFO, format(args)),
  warn: (...args) => write(WARN, format(args)),
  error: (...args) => write(ERROR, format(args)),
  trace(...args) {
    const trace = { name: "Trace", message: format(args) };
    Error.captureStackTrace(trace, methods.trace);
    write(DEBUG, trace.stack);
  },
  assert(condition, ...args) {
    if (!condition) write(ERROR, args.length === 0 ? "Assertion failed" : `Assertion failed: ${format(args)}`);
  },
  dir: (value, options) => write(INFO, show(value, { customInspect: false, ...options })),
  dirxml: (...args) => write(INFO, format(args)),
  table(data, columns) {
    write(INFO, typeof data === "object" && data !== null ? table(data, columns) : format([data]));
  },
  count(label = "default") {
    const count = (counts.get(`${label}`) ?? 0) + 1;
    counts.set(`${label}`, count);
    write(INFO, `${label}: ${count}`);
  },
  countReset(label = "default") {
    if (!counts.delete(`${label}`)) write(WARN, `Count for '${label}' does not exist`);
  },
  group,
  groupCollapsed: group,
  groupEnd() {
    indent = indent.slice(INDENT.length);
  },
  time(label = "default") {
    if (started.has(`${label}`)) write(WARN, `Label '${label}' already exists for console.time()`);
    else started.set(`${label}`, native.elapsedUs());
  },
  timeLog: (label = "default", ...args) => elapsed(`${label}`, args, "timeLog"),
  timeEnd(label = "default") {
    elapsed(`${label}`, [], "timeEnd");
    started.delete(`${label}`);
  },
};

/** For a promise that was rejected while nobody listened. */
export function reportRejection(reason) {
  write(ERROR, `Unhandled promise rejection (is an await missing?): ${format([reason])}`);
}

export function installConsole() {
  const console = Object.create(Object.prototype, { [Symbol.toStringTag]: { value: "console", configurable: true } });
  defineGlobal("console", Object.assign(console, methods));
}
