// Lines of a stream. There is no terminal, so nothing is edited and nothing moves.

import { builtin } from "../builtins.mjs";
import EventEmitter from "./events.mjs";
import stringDecoder from "./string_decoder.mjs";

const NEW_LINE = /\r\n|\n|\r/;

class Interface extends EventEmitter {
  #input;
  #output;
  #prompt;
  #rest = "";
  #decoder = new stringDecoder.StringDecoder("utf8");
  /** Of a question that waits for the next line. */
  #answer = null;

  terminal = false;
  closed = false;

  constructor(options, output) {
    super();
    const { input, output: to, prompt = "> ", signal } = typeof options?.on === "function" ? { input: options, output } : options;
    this.#input = input;
    this.#output = to;
    this.#prompt = prompt;
    input.on("data", this.#take);
    input.on("end", this.#end);
    input.on("error", this.#fail);
    signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  #take = (chunk) => {
    const text = this.#rest + (typeof chunk === "string" ? chunk : this.#decoder.write(chunk));
    // A return at the end may be half of a pair.
    const held = text.endsWith("\r") ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(NEW_LINE);
    this.#rest = lines.pop() + text.slice(text.length - held);
    for (const line of lines) this.#tell(line);
  };

  #end = () => {
    const last = (this.#rest + this.#decoder.end()).replace(/\r$/, "");
    this.#rest = "";
    if (last !== "") this.#tell(last);
    this.close();
  };

  #fail = (error) => this.emit("error", error);

  #tell(line) {
    const answer = this.#answer;
    this.#answer = null;
    if (answer === null) this.emit("line", line);
    else answer(line);
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.#input.off("data", this.#take).off("end", this.#end).off("error", this.#fail);
    this.pause();
    this.emit("close");
  }

  pause() {
    this.#input.pause?.();
    this.emit("pause");
    return this;
  }

  resume() {
    this.#input.resume?.();
    this.emit("resume");
    return this;
  }

  getPrompt() {
    return this.#prompt;
  }

  setPrompt(prompt) {
    this.#prompt = prompt;
  }

  prompt() {
    this.#output?.write(this.#prompt);
  }

  write(text) {
    this.#take(text);
  }

  question(query, optionsOrAnswer, answer = optionsOrAnswer) {
    this.#output?.write(query);
    this.#answer = answer;
  }

  [Symbol.asyncIterator]() {
    const lines = EventEmitter.on(this, "line", { close: ["close"] });
    return {
      async next() {
        const { value, done } = await lines.next();
        return { value: value?.[0], done };
      },
      return: () => {
        this.close();
        return lines.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** What moves the cursor of a terminal; there is none. */
const unmoved = (stream, ...rest) => {
  rest.findLast((argument) => typeof argument === "function")?.();
  return true;
};

export default {
  Interface,
  createInterface: (options, output) => new Interface(options, output),
  clearLine: unmoved,
  clearScreenDown: unmoved,
  cursorTo: unmoved,
  moveCursor: unmoved,
  emitKeypressEvents() {},
  get promises() {
    return builtin("readline/promises");
  },
};
