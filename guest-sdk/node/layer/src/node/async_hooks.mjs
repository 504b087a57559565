// Stores that go with promises, timers and callbacks. Hooks into the life of every resource are not kept.

import { bind, currentContext, enterContext, runInContext } from "../async-context.mjs";
import { validateFunction } from "./internal/errors.mjs";
import { refuse } from "./internal/refused.mjs";

class AsyncLocalStorage {
  static bind(callback) {
    validateFunction(callback, "fn");
    return bind(callback);
  }

  static snapshot() {
    return bind((callback, ...args) => callback(...args));
  }

  getStore() {
    return currentContext()?.get(this);
  }

  run(store, callback, ...args) {
    return runInContext(new Map(currentContext()).set(this, store), callback, undefined, args);
  }

  exit(callback, ...args) {
    return runInContext(this.#without(), callback, undefined, args);
  }

  enterWith(store) {
    enterContext(new Map(currentContext()).set(this, store));
  }

  disable() {
    enterContext(this.#without());
  }

  #without() {
    const context = new Map(currentContext());
    context.delete(this);
    return context.size > 0 ? context : undefined;
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
