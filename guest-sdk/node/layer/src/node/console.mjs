import { formatWithOptions } from "../inspect.mjs";

/** A console that writes to streams of its own: `new Console(process.stdout)`. */
class Console {
  constructor(options, stderr) {
    const streams = typeof options?.write === "function" ? { stdout: options, stderr } : options;
    const write = (stream) => (...args) => void stream.write(`${formatWithOptions({}, ...args)}\n`);
    for (const method of ["log", "info", "debug", "dir", "dirxml"]) this[method] = write(streams.stdout);
    for (const method of ["warn", "error", "trace"]) this[method] = write(streams.stderr ?? streams.stdout);
  }
}

const { console } = globalThis;
console.Console = Console;

export default console;
