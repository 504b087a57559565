// Keys as text, and certificates as far as their keys go.

import { coded, unsupported } from "./errors.mjs";

const ARMOUR = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/;
const LINE = /.{1,64}/g;

/** The engine's form of what a label announces. */
const FORMS = {
  "PRIVATE KEY": "pkcs8",
  "RSA PRIVATE KEY": "pkcs1-private",
  "EC PRIVATE KEY": "sec1",
  "PUBLIC KEY": "spki",
  "RSA PUBLIC KEY": "pkcs1-public",
  CERTIFICATE: "spki",
};

export function unreadable() {
  return coded(Error, "ERR_OSSL_UNSUPPORTED", "error:1E08010C:DECODER routines::unsupported");
}

/** The first key in the text, and which form of the engine's it has. EC parameters may stand before it. */
export function fromPem(text) {
  for (let rest = text; ; ) {
    const found = ARMOUR.exec(rest);
    if (found === null) throw unreadable();
    const [all, label, body] = found;
    if (label === "ENCRYPTED PRIVATE KEY" || body.includes("Proc-Type:")) throw unsupported("encrypted private keys; store them unencrypted");
    const form = FORMS[label];
    if (form !== undefined) return { form, der: derOf(label, body) };
    rest = rest.slice(found.index + all.length);
  }
}

function derOf(label, body) {
  let der;
  try {
    der = Uint8Array.fromBase64(body);
  } catch {
    throw unreadable();
  }
  return label === "CERTIFICATE" ? keyOfCertificate(der) : der;
}

export function toPem(label, der) {
  return `-----BEGIN ${label}-----\n${der.toBase64().match(LINE).join("\n")}\n-----END ${label}-----\n`;
}

/** The subject's key of an X.509 certificate: the seventh element of the first, or the sixth if no version is told. */
function keyOfCertificate(der) {
  const certificate = elementAt(der, 0);
  const { start, end } = elementAt(der, certificate.start);
  const elements = [];
  for (let at = start; at < end && elements.length < 7; at = elements.at(-1).end) elements.push(elementAt(der, at));
  const VERSION = 0xa0;
  const key = elements[elements[0]?.tag === VERSION ? 6 : 5];
  if (key === undefined) throw unreadable();
  return der.slice(key.from, key.end);
}

/** An element of DER: where it begins, where its content does, and where both end. */
function elementAt(der, from) {
  let start = from + 2;
  let length = der[from + 1];
  if (length >= 0x80) {
    const digits = length & 0x7f;
    length = 0;
    for (let at = 0; at < digits; at += 1) length = length * 256 + der[start + at];
    start += digits;
  }
  if (!(start + length <= der.length)) throw unreadable();
  return { tag: der[from], from, start, end: start + length };
}
