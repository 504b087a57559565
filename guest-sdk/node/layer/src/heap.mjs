/** A binary heap of numbers, smallest first. */
export class MinHeap {
  #items = [];

  first() {
    return this.#items[0];
  }

  push(item) {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent] <= item) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  /** Takes the smallest out. */
  pop() {
    const items = this.#items;
    const item = items.pop();
    const { length } = items;
    if (length === 0) return;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && items[child + 1] < items[child]) child += 1;
      if (items[child] >= item) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = item;
  }
}
