// node:http and node:https: clients, over the host. There are no servers in a handler.

import { METHODS, STATUS_CODES } from "unenv/node/internal/http/constants";
import { Writable } from "stream";

import { refuse } from "../refused.mjs";
import { Agent } from "./agent.mjs";
import { ClientRequest } from "./client-request.mjs";
import { validateHeaderName, validateHeaderValue } from "./headers.mjs";
import { IncomingMessage } from "./incoming-message.mjs";

const NO_SERVER = "mirra calls the handler for each request; `mirra serve` is the server";

/** The module of one scheme. */
export function client(name, AgentOfScheme) {
  const request = (...given) => new ClientRequest(`${name}:`, ...given);
  const get = (...given) => {
    const made = request(...given);
    made.end();
    return made;
  };
  return { Agent: AgentOfScheme, globalAgent: new AgentOfScheme({ keepAlive: true, timeout: 5000 }), get, request, ...refuse(name, "createServer Server", NO_SERVER) };
}

/** What only `http` has. */
export const common = {
  ClientRequest: class extends ClientRequest {
    constructor(...given) {
      super("http:", ...given);
    }
  },
  IncomingMessage,
  METHODS,
  OutgoingMessage: Writable,
  STATUS_CODES,
  maxHeaderSize: 16_384,
  setMaxIdleHTTPParsers() {},
  validateHeaderName,
  validateHeaderValue,
  ...refuse("http", "ServerResponse", NO_SERVER),
};

export { Agent };
