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

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  /** A text, or content blocks as Anthropic has them, such as images. */
  content: string | Record<string, unknown>[];
}

export interface ChatParams {
  /** What a user says, in place of `messages`. */
  message?: string;
  messages?: ChatMessage[];
  /** `claude-3-haiku-20240307` if not given. */
  model?: string;
  /** From 0 to 1; 0.7 if not given. */
  temperature?: number;
  /** 1,000 if not given. The most that it can cost must be in the call's budget. */
  maxTokens?: number;
}

export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheCreationTokens: number;
  readonly cacheReadTokens: number;
  readonly totalTokens: number;
}

export interface ChatAnswer extends Tokens {
  readonly content: string;
  readonly model: string;
}

/** A part of an answer; the last one has `done: true` and what was used. */
export interface ChatPart {
  readonly delta: string;
  readonly done: boolean;
  readonly model?: string;
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
}

export interface AgentParams {
  messages: ChatMessage[];
  /** The adapters and installed resources that the model may use, such as `memory` or `telegram`; all if not given. */
  tools?: string[];
  systemPrompt?: string;
  /** `claude-sonnet-4-20250514` if not given. */
  model?: string;
  /** From 0 to 1; 0.5 if not given. */
  temperature?: number;
  /** Each time that the model is asked; 4,096 if not given. */
  maxTokens?: number;
  /** How often it is asked; 10 if not given, and at most 25. */
  maxRounds?: number;
}

export interface AgentToolCall {
  /** Such as `memory__create`. */
  readonly name: string;
  readonly arguments: Record<string, any>;
  readonly result: any;
  readonly error?: string;
}

export interface AgentAnswer extends ChatAnswer {
  readonly rounds: number;
  readonly toolCalls: AgentToolCall[];
  readonly stopReason: "end_turn" | "max_rounds" | "error" | "abort";
  /** Why it stopped, where that was no choice of the model's. */
  readonly error?: string;
}

export type AgentPart =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "tool_start"; readonly round: number; readonly tool: Pick<AgentToolCall, "name" | "arguments"> }
  | {
      readonly type: "tool_complete";
      readonly round: number;
      readonly tool: Pick<AgentToolCall, "name" | "arguments">;
      readonly result: any;
      readonly error: string | null;
    }
  | { readonly type: "done"; readonly result: AgentAnswer };

/** Models of others, with the operator's keys. */
export interface Ai {
  chat(params: ChatParams): Promise<ChatAnswer>;
  /** `for await (const part of mirra.ai.chatStream(…))` */
  chatStream(params: ChatParams): AsyncIterable<ChatPart>;
  /** In the order of the requests. One that fails has an `error` in place of its content. */
  batchChat(params: {
    requests: ChatParams[];
  }): Promise<(ChatAnswer & { readonly error?: { readonly code: string; readonly message: string } })[]>;
  decide(params: {
    prompt: string;
    options: { id: string; label: string; metadata?: Record<string, unknown> }[];
    context?: unknown;
    model?: string;
  }): Promise<{ readonly selectedOption: string; readonly reasoning: string }>;
  agent(params: AgentParams): Promise<AgentAnswer>;
  agentStream(params: AgentParams): AsyncIterable<AgentPart>;
  /** Anthropic's answer, with its numbers as other answers have them. */
  computerUse(params: {
    messages: ChatMessage[];
    tools?: Record<string, unknown>[];
    model?: string;
    maxTokens?: number;
    system?: string;
    temperature?: number;
  }): Promise<Tokens & { readonly content: any[]; readonly model: string; readonly stopReason: string; readonly tokensCharged: number } & Record<string, any>>;
  transcribeAudio(params: {
    url?: string;
    base64?: string;
    mimeType?: string;
    language?: string;
    prompt?: string;
  }): Promise<{ readonly text: string; readonly language: string | null; readonly durationSeconds: number | null; readonly model: string }>;
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
