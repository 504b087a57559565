// URL and URLSearchParams of core-js, which follow the standard but for Unicode's mapping of host names.

import "core-js/web/url";
import "core-js/web/url-search-params";
import { defineInspect, defineInspectByGetters } from "./format.mjs";

const URL_SHOWN = [
  "href", "origin", "protocol", "username", "password", "host", "hostname", "port",
  "pathname", "search", "searchParams", "hash",
];

export function installUrl() {
  defineInspectByGetters(URL, URL_SHOWN);
  defineInspect(URLSearchParams.prototype, function (depth, options, inspect) {
    const pairs = Array.from(this, ([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`);
    return `URLSearchParams {${pairs.length > 0 ? ` ${pairs.join(", ")} ` : ""}}`;
  });
}
