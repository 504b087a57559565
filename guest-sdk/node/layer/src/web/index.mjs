// What stands on other globals, as the packages behind it do: they look for those when they are first evaluated, so this is
// evaluated when those are there.

import { installFetch } from "./fetch.mjs";
import { installMessaging } from "./message-channel.mjs";
import { installStreams } from "./streams.mjs";

export function installWeb() {
  installStreams();
  installFetch();
  installMessaging();
}
