// What a whole stream holds.

import module from "../buffer.mjs";

const { Buffer } = module;

async function buffer(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

async function arrayBuffer(stream) {
  const { buffer: memory, byteOffset, byteLength } = await buffer(stream);
  return memory.slice(byteOffset, byteOffset + byteLength);
}

const text = async (stream) => (await buffer(stream)).toString();
const json = async (stream) => JSON.parse(await text(stream));
const blob = async (stream) => new Blob([await buffer(stream)]);

export default { arrayBuffer, blob, buffer, json, text };
