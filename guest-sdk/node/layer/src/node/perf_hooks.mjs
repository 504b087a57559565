// The clock, with marks and measures. Nothing is observed by itself: there is no loop to wait and no collector to time.

import { refuse } from "./internal/refused.mjs";

class PerformanceEntry {
  constructor(name, entryType, startTime, duration, detail = null) {
    Object.assign(this, { name, entryType, startTime, duration, detail });
  }

  toJSON() {
    return { ...this };
  }
}

class PerformanceMark extends PerformanceEntry {
  constructor(name, options) {
    super(`${name}`, "mark", options?.startTime ?? performance.now(), 0, options?.detail);
  }
}

class PerformanceMeasure extends PerformanceEntry {}

let entries = [];
const observers = new Map();

function add(entry) {
  entries.push(entry);
  for (const [observer, types] of observers) if (types.includes(entry.entryType)) queueMicrotask(() => observer._notify([entry]));
  return entry;
}

/** A moment that is given as a number or by the name of a mark. */
function timeOf(moment, otherwise) {
  if (moment === undefined) return otherwise;
  if (typeof moment === "number") return moment;
  const mark = entries.findLast((entry) => entry.entryType === "mark" && entry.name === moment);
  if (mark === undefined) throw new DOMException(`The "${moment}" performance mark has not been set`, "SyntaxError");
  return mark.startTime;
}

function clear(entryType, name) {
  entries = entries.filter((entry) => entry.entryType !== entryType || (name !== undefined && entry.name !== name));
}

const { performance } = globalThis;

Object.assign(performance, {
  mark: (name, options) => add(new PerformanceMark(name, options)),
  measure(name, startOrOptions, endMark) {
    const isOptions = typeof startOrOptions === "object" && startOrOptions !== null;
    const { start, end, duration, detail } = isOptions ? startOrOptions : { start: startOrOptions, end: endMark };
    const ended = end === undefined && duration !== undefined ? timeOf(start, 0) + duration : timeOf(end, performance.now());
    const started = start === undefined && duration !== undefined ? ended - duration : timeOf(start, 0);
    return add(new PerformanceMeasure(name, "measure", started, ended - started, detail));
  },
  clearMarks: (name) => clear("mark", name),
  clearMeasures: (name) => clear("measure", name),
  getEntries: () => [...entries],
  getEntriesByName: (name, type) => entries.filter((entry) => entry.name === name && (type === undefined || entry.entryType === type)),
  getEntriesByType: (type) => entries.filter((entry) => entry.entryType === type),
  timerify: (callback) => callback,
  eventLoopUtilization: () => ({ idle: 0, active: performance.now(), utilization: 1 }),
});

class PerformanceObserver {
  static supportedEntryTypes = ["mark", "measure"];
  #callback;

  constructor(callback) {
    this.#callback = callback;
  }

  observe({ type, entryTypes = [type] }) {
    observers.set(this, entryTypes);
  }

  disconnect() {
    observers.delete(this);
  }

  _notify(list) {
    const getEntries = () => list;
    const getEntriesByType = (type) => list.filter((entry) => entry.entryType === type);
    this.#callback({ getEntries, getEntriesByType, getEntriesByName: (name) => list.filter((entry) => entry.name === name) }, this);
  }
}

export default {
  performance,
  Performance: performance.constructor,
  PerformanceEntry,
  PerformanceMark,
  PerformanceMeasure,
  PerformanceObserver,
  constants: {},
  ...refuse("perf_hooks", "createHistogram monitorEventLoopDelay", "measure with performance.now()"),
};
