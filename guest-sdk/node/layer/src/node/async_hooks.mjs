// Stores that go with promises, timers and callbacks. Hooks into the life of every resource are not kept.

import { bind, currentContext, enterContext, runInContext } from "../async-context.mjs";
import { validateFunction } from "./internal/errors.mjs";
import { refuse } from "./internal/refused.mjs";

class AsyncLocalStorage {
  /** Until the next `run`, nobody sees a store of it, wherever one was kept. */
  #isDisabled = false;

  static bind(callback) {
    validateFunction(callback, "fn");
    return bind(callback);
  }

  static snapshot() {
    return bind((callback, ...args) => callback(...args));
  }

  getStore() {
    return this.#isDisabled ? undefined : currentContext()?.get(this);
  }

  run(store, callback, ...args) {
    return runInContext(this.#contextWith(store), callback, undefined, args);
  }

  exit(callback, ...args) {
    const context = new Map(currentContext());
    context.delete(this);
    return runInContext(context.size > 0 ? context : undefined, callback, undefined, args);
  }

  enterWith(store) {
    enterContext(this.#contextWith(store));
  }

  disable() {
    this.#isDisabled = true;
  }

  #contextWith(store) {
    this.#isDisabled = false;
    return new Map(currentContext()).set(this, store);
  }
}

let lastId = 1;

class AsyncResource {
  #context = currentContext();
  #asyncId = (lastId += 1);
  #triggerAsyncId;

  constructor(type, options) {
    this.type = type;
    this.#triggerAsyncId = typeof options === "number" ? options : (options?.triggerAsyncId ?? 1);
  }

  static bind(callback, type, self) {
    return new AsyncResource(type ?? callback.name).bind(callback, self);
  }

  bind(callback, self) {
    validateFunction(callback, "fn");
    const resource = this;
    return function (...args) {
      return resource.runInAsyncScope(callback, self ?? this, ...args);
    };
  }

  runInAsyncScope(callback, self, ...args) {
    return runInContext(this.#context, callback, self, args);
  }

  asyncId() {
    return this.#asyncId;
  }

  triggerAsyncId() {
    return this.#triggerAsyncId;
  }

  emitDestroy() {
    return this;
  }
}

export default {
  AsyncLocalStorage,
  AsyncResource,
  // There is one execution, the call.
  executionAsyncId: () => 1,
  triggerAsyncId: () => 0,
  executionAsyncResource: () => ({}),
  ...refuse("async_hooks", "createHook", "use AsyncLocalStorage or AsyncResource"),
};
