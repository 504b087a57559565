// The body of an answer as fetch gives it: bytes where all of it is there, a stream where it is on its way.

import { Codec } from "../node/internal/zlib/codec.mjs";
import { joined } from "./body.mjs";
import { ReadableStream } from "./streams.mjs";

/** The bodies that servers pack, by the codec's names. */
const CODINGS = { gzip: "gunzip", "x-gzip": "gunzip", deflate: "inflate", br: "brotli-decompress" };

/** How it is packed; undefined: it is not. */
function codingOf({ headers }) {
  const coding = headers.find(([name]) => name.toLowerCase() === "content-encoding")?.[1].trim().toLowerCase();
  return Object.hasOwn(CODINGS, coding) ? CODINGS[coding] : undefined;
}

/** A body of the answer's bytes as they were before they were packed, if they were. */
export function incoming(exchange, answer, signal) {
  const coding = codingOf(answer);
  if (!exchange.isOver) return streamOf(exchange, answer.body, coding === undefined ? null : new Codec(coding), signal);
  if (coding === undefined || answer.body.length === 0) return answer.body;
  const codec = new Codec(coding);
  return joined([...codec.pieces(answer.body), ...codec.end()].map((piece) => new Uint8Array(piece)));
}

function terminated(cause) {
  return new TypeError(`terminated: ${cause.message}`, { cause });
}

function streamOf(exchange, first, codec, signal) {
  let stop = () => {};
  const finish = () => {
    exchange.cancel();
    signal.removeEventListener("abort", stop);
  };
  return new ReadableStream(
    {
      start(controller) {
        if (first.length > 0) give(controller, codec, first);
        stop = () => {
          controller.error(signal.reason);
          finish();
        };
        signal.addEventListener("abort", stop, { once: true });
      },
      async pull(controller) {
        try {
          for (let isGiven = false; !isGiven; ) {
            const part = await exchange.next();
            if (signal.aborted) return;
            if (part === null) {
              if (codec !== null) for (const piece of codec.end()) controller.enqueue(new Uint8Array(piece));
              finish();
              return controller.close();
            }
            isGiven = give(controller, codec, part);
          }
        } catch (cause) {
          finish();
          throw terminated(cause);
        }
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}

/** Whether there was something to give: of what is packed, a part may not be enough to unpack anything. */
function give(controller, codec, part) {
  if (codec === null) {
    if (part.length > 0) controller.enqueue(part);
    return part.length > 0;
  }
  let isGiven = false;
  for (const piece of codec.pieces(part)) {
    controller.enqueue(new Uint8Array(piece));
    isGiven = true;
  }
  return isGiven;
}
