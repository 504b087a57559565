// What a value is, asked of the language's own methods where they tell, which nothing can pretend to.

import { isError } from "../../intrinsics.mjs";
import { native } from "../../native.mjs";

const { toString } = Object.prototype;
const TypedArray = Object.getPrototypeOf(Uint8Array);
const typedArrayName = Object.getOwnPropertyDescriptor(TypedArray.prototype, Symbol.toStringTag).get;

/** Whether the method, which only takes objects of its own kind, takes this one. */
function takenBy(method, ...args) {
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    try {
      method.call(value, ...args);
      return true;
    } catch {
      return false;
    }
  };
}

const getter = (type, name) => Object.getOwnPropertyDescriptor(type.prototype, name).get;
const isTagged = (type, tag) => (value) => typeof value === type && value !== null && toString.call(value) === `[object ${tag}]`;

const isArrayBuffer = takenBy(getter(ArrayBuffer, "byteLength"));
const isSharedArrayBuffer =
  typeof SharedArrayBuffer === "undefined" ? () => false : takenBy(getter(SharedArrayBuffer, "byteLength"));

const boxed = {
  isBigIntObject: takenBy(BigInt.prototype.valueOf),
  isBooleanObject: takenBy(Boolean.prototype.valueOf),
  isNumberObject: takenBy(Number.prototype.valueOf),
  isStringObject: takenBy(String.prototype.valueOf),
  isSymbolObject: takenBy(Symbol.prototype.valueOf),
};

const types = {
  ...boxed,
  isBoxedPrimitive: (value) => Object.values(boxed).some((is) => is(value)),
  isAnyArrayBuffer: (value) => isArrayBuffer(value) || isSharedArrayBuffer(value),
  isArgumentsObject: isTagged("object", "Arguments"),
  isArrayBuffer,
  isArrayBufferView: ArrayBuffer.isView,
  isAsyncFunction: (value) => isTagged("function", "AsyncFunction")(value) || isTagged("function", "AsyncGeneratorFunction")(value),
  isCryptoKey: isTagged("object", "CryptoKey"),
  isDataView: (value) => ArrayBuffer.isView(value) && typedArrayName.call(value) === undefined,
  isDate: takenBy(Date.prototype.getTime),
  isExternal: () => false,
  isGeneratorFunction: (value) =>
    isTagged("function", "GeneratorFunction")(value) || isTagged("function", "AsyncGeneratorFunction")(value),
  isGeneratorObject: (value) => isTagged("object", "Generator")(value) || isTagged("object", "AsyncGenerator")(value),
  isKeyObject: isTagged("object", "KeyObject"),
  isMap: takenBy(getter(Map, "size")),
  isMapIterator: isTagged("object", "Map Iterator"),
  isModuleNamespaceObject: isTagged("object", "Module"),
  isNativeError: (value) => isError(value),
  isPromise: (value) => value instanceof Promise,
  isProxy: (value) => native.isProxy(value),
  isRegExp: takenBy(getter(RegExp, "source")),
  isSet: takenBy(getter(Set, "size")),
  isSetIterator: isTagged("object", "Set Iterator"),
  isSharedArrayBuffer,
  isTypedArray: (value) => typedArrayName.call(value) !== undefined,
  isWeakMap: takenBy(WeakMap.prototype.has, {}),
  isWeakSet: takenBy(WeakSet.prototype.has, {}),
};

const TYPED_ARRAYS =
  "Uint8Array Uint8ClampedArray Uint16Array Uint32Array Int8Array Int16Array Int32Array Float32Array Float64Array BigInt64Array BigUint64Array";
for (const name of TYPED_ARRAYS.split(" ")) types[`is${name}`] = (value) => typedArrayName.call(value) === name;

export default types;
