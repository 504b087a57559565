// Channels by name. Those for tracing are theirs by name too.

import { bind } from "../async-context.mjs";

const channels = new Map();

class Channel {
  #subscribers = [];
  #stores = new Map();

  constructor(name) {
    this.name = name;
  }

  get hasSubscribers() {
    return this.#subscribers.length > 0 || this.#stores.size > 0;
  }

  subscribe(subscriber) {
    // A new list: one that is being published to stays as it is.
    this.#subscribers = [...this.#subscribers, subscriber];
  }

  unsubscribe(subscriber) {
    const at = this.#subscribers.indexOf(subscriber);
    if (at >= 0) this.#subscribers = this.#subscribers.toSpliced(at, 1);
    return at >= 0;
  }

  bindStore(store, transform = (data) => data) {
    this.#stores.set(store, transform);
  }

  unbindStore(store) {
    return this.#stores.delete(store);
  }

  publish(message) {
    for (const subscriber of this.#subscribers) subscriber(message, this.name);
  }

  runStores(message, callback, self, ...args) {
    const run = () => {
      this.publish(message);
      return callback.apply(self, args);
    };
    return [...this.#stores].reduce((inner, [store, transform]) => () => store.run(transform(message), inner), run)();
  }
}

function channel(name) {
  let known = channels.get(name);
  if (known === undefined) channels.set(name, (known = new Channel(name)));
  return known;
}

const EVENTS = ["start", "end", "asyncStart", "asyncEnd", "error"];

class TracingChannel {
  constructor(nameOrChannels) {
    for (const event of EVENTS) {
      this[event] = typeof nameOrChannels === "string" ? channel(`tracing:${nameOrChannels}:${event}`) : nameOrChannels[event];
    }
  }

  get hasSubscribers() {
    return EVENTS.some((event) => this[event].hasSubscribers);
  }

  subscribe(subscribers) {
    for (const event of EVENTS) if (subscribers[event]) this[event].subscribe(subscribers[event]);
  }

  unsubscribe(subscribers) {
    return EVENTS.every((event) => !subscribers[event] || this[event].unsubscribe(subscribers[event]));
  }

  traceSync(callback, context = {}, self, ...args) {
    return this.start.runStores(context, () => {
      try {
        return (context.result = callback.apply(self, args));
      } catch (error) {
        this.#fail(context, error);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }

  tracePromise(callback, context = {}, self, ...args) {
    return this.start.runStores(context, () => {
      try {
        return Promise.resolve(callback.apply(self, args)).then(
          (result) => {
            context.result = result;
            this.#settle(context);
            return result;
          },
          (error) => {
            this.#fail(context, error);
            this.#settle(context);
            throw error;
          },
        );
      } catch (error) {
        this.#fail(context, error);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }

  traceCallback(callback, position = -1, context = {}, self, ...args) {
    const given = bind(args.at(position));
    const traced = (error, result) => {
      if (error) this.#fail(context, error);
      else context.result = result;
      this.asyncStart.runStores(context, () => given(error, result));
      this.asyncEnd.publish(context);
    };
    return this.traceSync(callback, context, self, ...args.with(position, traced));
  }

  #fail(context, error) {
    context.error = error;
    this.error.publish(context);
  }

  #settle(context) {
    this.asyncStart.publish(context);
    this.asyncEnd.publish(context);
  }
}

export default {
  channel,
  hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
  subscribe: (name, subscriber) => channel(name).subscribe(subscriber),
  unsubscribe: (name, subscriber) => channel(name).unsubscribe(subscriber),
  tracingChannel: (nameOrChannels) => new TracingChannel(nameOrChannels),
  Channel,
};
