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

/** An entity of the memory. What it has not is an empty text. */
export interface MemoryEntity {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly status: string;
  readonly priority: string;
  readonly tags: string[];
  readonly metadata: Record<string, unknown>;
  readonly graphId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly createdByUserId: string;
  readonly createdByName: string;
  readonly assignedToUserId: string;
  readonly assignedToName: string;
  readonly assignmentWarning: string;
  readonly dueAt: string;
}

/** An entity in a list: `content` and `description` are its first characters. */
export type MemorySummary = Pick<
  MemoryEntity,
  "id" | "type" | "name" | "content" | "status" | "priority" | "tags" | "metadata" | "graphId" | "createdAt"
> & { readonly description: string };

export interface MemoryList<T> {
  readonly count: number;
  readonly totalCount: number;
  readonly offset: number;
  readonly limit: number;
  readonly results: T[];
}

/** What the account keeps for which the handler runs. */
export interface Memory {
  create(params: {
    type: string;
    content: string;
    name?: string;
    metadata?: Record<string, unknown>;
    tags?: string[];
    groupId?: string;
  }): Promise<MemoryEntity>;
  createTask(params: {
    content: string;
    name?: string;
    assignedTo?: string;
    dueAt?: string;
    priority?: "high" | "medium" | "low";
    tags?: string[];
    groupId?: string;
  }): Promise<MemoryEntity>;
  /** The best first. Times are milliseconds since 1970. */
  search(params: {
    query: string;
    types?: string[];
    startTime?: number;
    endTime?: number;
    propertyFilters?: { [property in "status" | "priority" | "tags" | "roles" | "contexts"]?: string | string[] };
    limit?: number;
    groupId?: string;
  }): Promise<MemoryList<MemorySummary & { readonly score: number }> & { readonly query: string }>;
  /** The newest first. */
  query(params?: {
    type?: string;
    limit?: number;
    offset?: number;
    groupId?: string;
  }): Promise<MemoryList<MemorySummary> & { readonly type: string | null }>;
  findOne(params: { id?: string; name?: string; filters?: { id?: string; name?: string } }): Promise<MemoryEntity | null>;
  update(params: {
    id: string;
    type?: string;
    name?: string;
    content?: string;
    metadata?: Record<string, unknown>;
    tags?: string[];
  }): Promise<{ readonly id: string; readonly updated: boolean; readonly updatedAt: string }>;
  delete(params: { id: string }): Promise<{ readonly id: string; readonly deleted: boolean; readonly deletedAt: string }>;
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
