/**
 * Names that mean the language's own (or `console`) unless a cell declares
 * them. A compiled cell uses them directly; every other unknown name is looked
 * up when it is used, since a later cell may declare it. The list is fixed, so
 * that a cell compiles to the same text in every host.
 */
const NAMES = `
AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt
BigInt64Array BigUint64Array Boolean DataView Date DisposableStack Error
EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function
Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number
Object Promise Proxy RangeError ReferenceError Reflect RegExp Set
SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError
Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet
console decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval
globalThis isFinite isNaN parseFloat parseInt undefined unescape
`;

const names: ReadonlySet<string> = new Set(NAMES.trim().split(/\s+/));

export function isStandardName(name: string): boolean {
  return names.has(name);
}
