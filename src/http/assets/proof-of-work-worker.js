// Finds the number whose SHA-256 with a salt is the challenge.
//
// In: {salt, challenge, maxnumber}. Out: {tried} now and then, at the end
// {number}, or {number: null} where there is none. Ended by terminate().
//
// Our own SHA-256: one digest of Web Crypto costs a promise, which is more than
// a digest itself, and is not there on a page without TLS.
"use strict";

const TOLD_EVERY = 5000;

// The first 32 bits of the fractions of the first 64 primes' cube roots.
const K = new Int32Array(64);
for (let prime = 2, at = 0; at < 64; prime++) {
  let divisor = 2;
  while (divisor * divisor <= prime && prime % divisor !== 0) divisor++;
  if (divisor * divisor > prime) K[at++] = (Math.cbrt(prime) % 1) * 2 ** 32;
}

// Of the first 8 primes' square roots.
const INITIAL = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);

const W = new Int32Array(64);

/** Takes one block of `view` into `state`. */
function compress(state, view, from) {
  for (let i = 0; i < 16; i++) W[i] = view.getInt32(from + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15];
    const y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = W[i - 16] + s0 + W[i - 7] + s1;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** Digests `salt` with any number behind it; the salt's whole blocks only once. */
function hasher(salt) {
  const bytes = new TextEncoder().encode(salt);
  const view = new DataView(bytes.buffer);
  const begun = Int32Array.from(INITIAL);
  const whole = bytes.length - (bytes.length % 64);
  for (let from = 0; from < whole; from += 64) compress(begun, view, from);
  const tail = new Uint8Array(128);
  const tailView = new DataView(tail.buffer);
  const rest = bytes.length - whole;
  tail.set(bytes.subarray(whole));
  const state = new Int32Array(8);
  return (number) => {
    const digits = String(number);
    let end = rest;
    for (let i = 0; i < digits.length; i++) tail[end++] = digits.charCodeAt(i);
    tail[end++] = 0x80;
    const blocks = end + 8 > 64 ? 128 : 64;
    tail.fill(0, end, blocks);
    tailView.setUint32(blocks - 4, 8 * (bytes.length + digits.length));
    state.set(begun);
    for (let from = 0; from < blocks; from += 64) compress(state, tailView, from);
    return state;
  };
}

function find({ salt, challenge, maxnumber }) {
  const wanted = Int32Array.from({ length: 8 }, (_, i) => parseInt(challenge.slice(8 * i, 8 * i + 8), 16));
  const digest = hasher(salt);
  for (let number = 0; number <= maxnumber; number++) {
    const state = digest(number);
    if (state[0] === wanted[0] && state.every((word, i) => word === wanted[i])) return number;
    if (number % TOLD_EVERY === 0) postMessage({ tried: number });
  }
  return null;
}

onmessage = ({ data }) => postMessage({ number: find(data) });
