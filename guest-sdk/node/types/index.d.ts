/** What a handler is given, and what it can reach. Add `"types": ["mirra-types"]` to a tsconfig.json, or import from it. */

/** An event without a shape of its own: whatever JSON the caller has sent. */
export type Event = any;

/** What the host says of this call. */
export interface Context {
  /** `exec_` and 24 hexadecimal digits. */
  readonly executionId: string;
  /** The name that the handler is deployed under. */
  readonly scriptId: string;
  readonly version?: string;
  readonly trigger: "http" | "cron" | "event" | "cli" | (string & {});
  /** When the call must have ended, in Unix milliseconds. */
  readonly deadline: number;
  readonly apiKey?: string;
  /** Milliseconds left. */
  remainingTime(): number;

  /** As AWS Lambda calls them. */
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  getRemainingTimeInMillis(): number;
}

/** An operation of the host failed. `code` is one of the contract's, such as `RESOURCE_DENIED`. */
export interface MirraError extends Error {
  readonly name: "MirraError";
  readonly code: string;
}

/** Takes one object and answers what the host answers. */
export type Operation = (params?: Record<string, unknown>) => Promise<any>;

/** Has whatever operations its host offers. */
export type Adapter = { readonly [operation: string]: Operation };

export interface Memory {
  create: Operation;
  createTask: Operation;
  search: Operation;
  query: Operation;
  findOne: Operation;
  update: Operation;
  delete: Operation;
  share: Operation;
  unshare: Operation;
  listGraphs: Operation;
}

export interface Ai {
  chat: Operation;
  decide: Operation;
  agent: Operation;
  computerUse: Operation;
  transcribeAudio: Operation;
  batchChat: Operation;
}

/** `call`, and every installed resource by its name. */
export type Resources = { readonly call: Operation } & { readonly [resource: string]: any };

/** The SDK: the third argument of a handler, and a global. */
export type Mirra = {
  readonly memory: Memory;
  readonly ai: Ai;
  readonly resources: Resources;
} & { readonly [adapter: string]: any };

/** A handler; sync ones answer the result itself. */
export type Handler<E = Event, R = unknown> = (event: E, context: Context, mirra: Mirra) => R | Promise<R>;

declare global {
  const mirra: Mirra;
}
