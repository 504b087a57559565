// `events` with what Node has added since.

import EventEmitter from "events/events.js";
import asyncHooks from "./async_hooks.mjs";
import { abortError, validateFunction } from "./internal/errors.mjs";

const errorMonitor = Symbol("events.errorMonitor");
const captureRejectionSymbol = Symbol.for("nodejs.rejection");

const { emit } = EventEmitter.prototype;
EventEmitter.prototype.emit = function (type, ...args) {
  if (type === "error" && this._events?.[errorMonitor] !== undefined) emit.call(this, errorMonitor, ...args);
  return emit.call(this, type, ...args);
};

const { once: plainOnce } = EventEmitter;
function once(emitter, name, options) {
  const signal = options?.signal;
  if (signal === undefined) return plainOnce(emitter, name);
  if (signal.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortError(signal));
    signal.addEventListener("abort", abort, { once: true });
    plainOnce(emitter, name).then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** The events as they come; those that nobody awaits yet are kept. */
function on(emitter, name, options) {
  const signal = options?.signal;
  if (signal?.aborted) throw abortError(signal);
  const [events, waiting] = [[], []];
  let failure;
  let isDone = false;

  const settle = (event) => (waiting.length > 0 ? waiting.shift().resolve({ value: event, done: false }) : events.push(event));
  const listen = (...args) => settle(args);
  const fail = (error) => (waiting.length > 0 ? waiting.shift().reject(error) : (failure = { error }));
  const abort = () => fail(abortError(signal));
  const finish = () => {
    isDone = true;
    emitter.off(name, listen).off("error", fail);
    for (const closing of options?.close ?? []) emitter.off(closing, finish);
    signal?.removeEventListener("abort", abort);
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };

  emitter.on(name, listen);
  if (name !== "error") emitter.on("error", fail);
  for (const closing of options?.close ?? []) emitter.on(closing, finish);
  signal?.addEventListener("abort", abort, { once: true });

  return {
    next() {
      if (events.length > 0) return Promise.resolve({ value: events.shift(), done: false });
      if (failure !== undefined) {
        const { error } = failure;
        failure = undefined;
        finish();
        return Promise.reject(error);
      }
      if (isDone) return finish();
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: finish,
    throw(error) {
      fail(error);
      return finish();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function addAbortListener(signal, listener) {
  validateFunction(listener, "listener");
  if (signal.aborted) queueMicrotask(() => listener());
  else signal.addEventListener("abort", listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", listener) };
}

function getEventListeners(emitter, name) {
  if (typeof emitter.listeners === "function") return emitter.listeners(name);
  throw new TypeError("the listeners of an EventTarget are not told");
}

function setMaxListeners(count = EventEmitter.defaultMaxListeners, ...emitters) {
  if (emitters.length === 0) EventEmitter.defaultMaxListeners = count;
  // An EventTarget warns of nothing.
  for (const emitter of emitters) emitter.setMaxListeners?.(count);
}

Object.assign(EventEmitter, {
  addAbortListener,
  captureRejectionSymbol,
  errorMonitor,
  getEventListeners,
  getMaxListeners: (emitter) => emitter.getMaxListeners?.() ?? EventEmitter.defaultMaxListeners,
  on,
  once,
  setMaxListeners,
});

EventEmitter.EventEmitterAsyncResource = class EventEmitterAsyncResource extends EventEmitter {
  constructor(options) {
    super(options);
    this.asyncResource = new asyncHooks.AsyncResource(options?.name ?? new.target.name, options);
  }

  emit(...args) {
    return this.asyncResource.runInAsyncScope(super.emit, this, ...args);
  }

  get asyncId() {
    return this.asyncResource.asyncId();
  }
};

export default EventEmitter;
