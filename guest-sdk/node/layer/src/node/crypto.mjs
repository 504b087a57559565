// Over native hashing, ciphers and signatures (engine/native).
export { default } from "./internal/crypto/index.mjs";
