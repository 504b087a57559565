// DOM events, as the standard has them for targets that form no tree. Written here: no maintained package has them whole.

import { defineInspectByGetters } from "./format.mjs";
import { defineClasses, defineProperty } from "./intrinsics.mjs";
import { failCall } from "./timers.mjs";
import { native } from "./native.mjs";

const NONE = 0;
const AT_TARGET = 2;

/** What EventTarget alone may do with an event. */
let dispatch;

class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  #timeStamp = native.elapsedUs() / 1000;
  #target = null;
  #isDispatched = false;
  #isCanceled = false;
  #isPassive = false;
  #isStopped = false;
  #isStoppedAtOnce = false;

  constructor(type, init) {
    if (arguments.length === 0) throw new TypeError("Event needs a type");
    this.#type = `${type}`;
    this.#bubbles = Boolean(init?.bubbles);
    this.#cancelable = Boolean(init?.cancelable);
    this.#composed = Boolean(init?.composed);
  }

  get type() {
    return this.#type;
  }
  get bubbles() {
    return this.#bubbles;
  }
  get cancelable() {
    return this.#cancelable;
  }
  get composed() {
    return this.#composed;
  }
  get timeStamp() {
    return this.#timeStamp;
  }
  get target() {
    return this.#target;
  }
  get srcElement() {
    return this.#target;
  }
  get currentTarget() {
    return this.#isDispatched ? this.#target : null;
  }
  get eventPhase() {
    return this.#isDispatched ? AT_TARGET : NONE;
  }
  get defaultPrevented() {
    return this.#isCanceled;
  }
  get returnValue() {
    return !this.#isCanceled;
  }
  get cancelBubble() {
    return this.#isStopped;
  }
  get isTrusted() {
    return false;
  }

  composedPath() {
    return this.#isDispatched ? [this.#target] : [];
  }
  preventDefault() {
    if (this.#cancelable && !this.#isPassive) this.#isCanceled = true;
  }
  stopPropagation() {
    this.#isStopped = true;
  }
  stopImmediatePropagation() {
    this.#isStopped = true;
    this.#isStoppedAtOnce = true;
  }

  static {
    dispatch = (event, target, listeners) => {
      if (event.#isDispatched) throw new DOMException("The event is already being dispatched", "InvalidStateError");
      event.#target = target;
      event.#isDispatched = true;
      for (const listener of listeners) {
        if (event.#isStoppedAtOnce) break;
        if (listener.isRemoved) continue;
        if (listener.once) listener.remove();
        event.#isPassive = listener.passive;
        notify(listener.callback, event, target);
      }
      event.#isDispatched = false;
      event.#isPassive = false;
      event.#isStopped = false;
      event.#isStoppedAtOnce = false;
      return !event.#isCanceled;
    };
  }
}

const PHASES = { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 };
for (const phase in PHASES) {
  for (const home of [Event, Event.prototype]) defineProperty(home, phase, { value: PHASES[phase], enumerable: true });
}

class CustomEvent extends Event {
  #detail;

  constructor(type, init) {
    super(type, init);
    this.#detail = init?.detail ?? null;
  }

  get detail() {
    return this.#detail;
  }
}

/** An error in a listener is not the dispatcher's. */
function notify(callback, event, target) {
  try {
    if (typeof callback === "function") callback.call(target, event);
    else callback.handleEvent(event);
  } catch (error) {
    failCall(error);
  }
}

class EventTarget {
  /** Lists by type, made when the first listener comes. */
  #listeners = null;

  addEventListener(type, callback, options) {
    const { capture, once, passive, signal } = optionsOf(options);
    if (callback === null || callback === undefined || signal?.aborted) return;
    if (typeof callback !== "function" && typeof callback !== "object") {
      throw new TypeError("a listener is a function or an object");
    }
    this.#listeners ??= new Map();
    const known = this.#listeners.get(`${type}`) ?? [];
    if (known.some((listener) => listener.callback === callback && listener.capture === capture)) return;
    const remove = () => this.removeEventListener(type, callback, { capture });
    // A new list, since a dispatch under way goes on with the old one.
    this.#listeners.set(`${type}`, [...known, { callback, capture, once, passive, remove, isRemoved: false }]);
    signal?.addEventListener("abort", remove, { once: true });
  }

  removeEventListener(type, callback, options) {
    const { capture } = optionsOf(options);
    const known = this.#listeners?.get(`${type}`);
    const removed = known?.find((listener) => listener.callback === callback && listener.capture === capture);
    if (removed === undefined) return;
    removed.isRemoved = true;
    this.#listeners.set(`${type}`, known.filter((listener) => listener !== removed));
  }

  dispatchEvent(event) {
    if (!(event instanceof Event)) throw new TypeError("dispatchEvent takes an Event");
    return dispatch(event, this, this.#listeners?.get(event.type) ?? []);
  }
}

function optionsOf(options) {
  if (typeof options !== "object" || options === null) return { capture: Boolean(options), once: false, passive: false };
  const { capture, once, passive, signal } = options;
  return { capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), signal };
}

export { Event, EventTarget };

export function installEvents() {
  defineInspectByGetters(Event, ["type", "defaultPrevented", "cancelable", "timeStamp"]);
  defineClasses({ CustomEvent, Event, EventTarget });
}
