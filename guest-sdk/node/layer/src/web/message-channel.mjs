// MessageChannel. Both ends are in the one thread there is; a message is cloned when it is posted and arrives in a turn of its own.

import { Event, EventTarget } from "../events.mjs";
import { defineClasses } from "../intrinsics.mjs";

/** Only this file makes ports. */
const MAKE = Symbol();

class MessageEvent extends Event {
  #init;

  constructor(type, init = {}) {
    super(type, init);
    const { data = null, origin = "", lastEventId = "", source = null, ports = [] } = init;
    this.#init = { data, origin, lastEventId, source, ports };
  }

  get data() {
    return this.#init.data;
  }
  get origin() {
    return this.#init.origin;
  }
  get lastEventId() {
    return this.#init.lastEventId;
  }
  get source() {
    return this.#init.source;
  }
  get ports() {
    return this.#init.ports;
  }
}

let entangle;

class MessagePort extends EventTarget {
  #other = null;
  /** What came before the port was started; null from then on. */
  #waiting = [];
  #onmessage = null;
  /** The listeners of `on`, by what was given. */
  #wrapped = new Map();

  constructor(token) {
    if (token !== MAKE) throw new TypeError("Illegal constructor");
    super();
  }

  static {
    entangle = (one, other) => {
      one.#other = other;
      other.#other = one;
    };
  }

  postMessage(message, options) {
    const transfer = Array.isArray(options) ? options : options?.transfer;
    const data = structuredClone(message, { transfer });
    this.#other?.#receive(data);
  }

  #receive(data) {
    if (this.#waiting === null) setImmediate(() => this.#tell(data));
    else this.#waiting.push(data);
  }

  #tell(data) {
    if (this.#other !== null) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  start() {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const data of waiting) this.#receive(data);
  }

  close() {
    const other = this.#other;
    if (other === null) return;
    this.#other = null;
    setImmediate(() => this.dispatchEvent(new Event("close")));
    other.close();
  }

  get onmessage() {
    return this.#onmessage;
  }
  set onmessage(listener) {
    if (this.#onmessage !== null) this.removeEventListener("message", this.#onmessage);
    this.#onmessage = typeof listener === "function" ? listener : null;
    if (this.#onmessage !== null) this.addEventListener("message", this.#onmessage);
    this.start();
  }

  // As Node has them: the listener is given the message itself.
  on(type, listener) {
    return this.#listen(type, listener, false);
  }
  once(type, listener) {
    return this.#listen(type, listener, true);
  }
  #listen(type, listener, once) {
    const wrapped = (event) => listener.call(this, event.data);
    this.#wrapped.set(listener, wrapped);
    this.addEventListener(type, wrapped, { once });
    if (type === "message") this.start();
    return this;
  }
  off(type, listener) {
    this.removeEventListener(type, this.#wrapped.get(listener));
    return this;
  }
  ref() {}
  unref() {}
}

class MessageChannel {
  port1 = new MessagePort(MAKE);
  port2 = new MessagePort(MAKE);

  constructor() {
    entangle(this.port1, this.port2);
  }
}

export const messaging = { MessageChannel, MessageEvent, MessagePort };

export function installMessaging() {
  defineClasses(messaging);
}
