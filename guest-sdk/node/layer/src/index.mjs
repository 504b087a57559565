// The layer: evaluated once into the image that every handler starts from. Its value is `boot`.

import { builtin, installBuiltins } from "./builtins.mjs";
import { adopt, call } from "./call.mjs";
import { describe } from "./describe.mjs";
import { bindNative } from "./native.mjs";
import { isWaiting, settle } from "./operations.mjs";
import { runTimers } from "./timers.mjs";

import { installAbort } from "./abort.mjs";
import { installClone } from "./structured-clone.mjs";
import { installConsole, reportRejection } from "./console.mjs";
import { installCrypto } from "./crypto.mjs";
import { installErrors } from "./errors.mjs";
import { installEvents } from "./events.mjs";
import { installIntl } from "./intl/index.mjs";
import { installMath } from "./math.mjs";
import { installMicrotasks } from "./microtasks.mjs";
import { installMirra } from "./mirra.mjs";
import { installPerformance } from "./performance.mjs";
import { installTextEncoding } from "./text-encoding.mjs";
import { installTimers } from "./timers.mjs";
import { installUrl } from "./url.mjs";

/** What is installed into the global object, in order. What the engine itself has (atob, btoa, DOMException) is not here. */
const INSTALLERS = [
  installErrors,
  installMath,
  installIntl,
  installMicrotasks,
  installTimers,
  installEvents,
  installAbort,
  installTextEncoding,
  installUrl,
  installClone,
  installCrypto,
  installPerformance,
  installConsole,
  installMirra,
  // Evaluated now, and not when the layer is: the bundler makes a function of a module that is required.
  () => require("./web/index.mjs").installWeb(),
  installBuiltins,
];

export function boot(given) {
  bindNative(given);
  globalThis.global = globalThis;
  for (const install of INSTALLERS) install();
  return { adopt, builtin, call, describe, isWaiting, reportRejection, runTimers, settle };
}
