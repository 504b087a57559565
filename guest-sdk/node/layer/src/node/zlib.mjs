// Over native compression (engine/native).
export { default } from "./internal/zlib/index.mjs";
