// Timers by the millisecond they are due in. Those of one millisecond form a list in the order of their coming; a heap keeps
// the milliseconds. So a million timers cost a heap of as many entries as they are due at different times, and taking one
// out costs nothing to speak of.
//
// Lists run through the timers themselves (`_list`, `_before`, `_after`), and an object finds them: the engine's Map and Set
// hash integers and objects so badly that they were 3 times slower.

import { MinHeap } from "./heap.mjs";

const lists = { __proto__: null };
const dueTimes = new MinHeap();

class List {
  first = null;
  last = null;
}

/** `due` is an integer of 31 bits: a property key that needs no string. */
export function add(timer, due) {
  let list = lists[due];
  if (list === undefined) {
    list = lists[due] = new List();
    dueTimes.push(due);
  }
  const { last } = list;
  timer._list = list;
  timer._before = last;
  timer._after = null;
  if (last === null) list.first = timer;
  else last._after = timer;
  list.last = timer;
}

export function remove(timer) {
  const { _list: list, _before: before, _after: after } = timer;
  if (before === null) list.first = after;
  else before._after = after;
  if (after === null) list.last = before;
  else after._before = before;
  timer._list = timer._before = timer._after = null;
}

/** The millisecond of the timer that is due first, or undefined. An emptied list goes when its time comes up. */
export function firstDue() {
  for (;;) {
    const due = dueTimes.first();
    if (due === undefined || lists[due].first !== null) return due;
    dueTimes.pop();
    delete lists[due];
  }
}

/** The first of the timers that are due at `due`. */
export function firstAt(due) {
  return lists[due].first;
}
