// CryptoKey: a key as WebCrypto has it.

export class CryptoKey {
  #type;
  #isExtractable;
  #algorithm;
  #usages;
  /** A Uint8Array of a secret key, or the engine's of another. */
  #handle;

  constructor(made, type, isExtractable, algorithm, usages, handle) {
    if (made !== MADE) throw new TypeError("Illegal constructor");
    this.#type = type;
    this.#isExtractable = isExtractable;
    this.#algorithm = algorithm;
    this.#usages = usages;
    this.#handle = handle;
  }

  get type() {
    return this.#type;
  }
  get extractable() {
    return this.#isExtractable;
  }
  get algorithm() {
    return this.#algorithm;
  }
  get usages() {
    return this.#usages;
  }

  static _handleOf(value) {
    return typeof value === "object" && value !== null && #handle in value ? value.#handle : undefined;
  }

  get [Symbol.toStringTag]() {
    return "CryptoKey";
  }
}

const MADE = Symbol("made");

/** Undefined of what is no CryptoKey. */
export const handleOfCryptoKey = CryptoKey._handleOf;
delete CryptoKey._handleOf;

export function makeCryptoKey(type, isExtractable, algorithm, usages, handle) {
  return new CryptoKey(MADE, type, isExtractable, algorithm, usages, handle);
}
