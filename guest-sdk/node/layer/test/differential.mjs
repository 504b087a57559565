// The same calls on Node's own module and on the layer's.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { inspect } from "node:util";
import { makeRealm } from "./realm.mjs";

const require = createRequire(import.meta.url);

/** Result or error, as text that two realms can be compared by. Of errors the words are the packages' own. */
async function outcome(call) {
  try {
    return inspect(await call(), { depth: 6 });
  } catch (error) {
    return `throws ${inspect({ name: error?.name, code: error?.code })}`;
  }
}

/** Each of `calls` is a function of `(module, require)` that stands alone, since the layer's side evaluates its source. */
export async function same(name, ...calls) {
  const realm = makeRealm();
  for (const call of calls) {
    const expected = await outcome(() => call(require(`node:${name}`), require));
    const running = outcome(() => realm.run(`(${call})`)(realm.builtin(name), realm.builtin));
    await realm.finishTimers();
    const actual = await running;
    assert.equal(actual, expected, `${name}: ${call}`);
  }
}
