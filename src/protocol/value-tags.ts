/**
 * The first byte of an encoded value says what follows. Small things are one byte in all: integers 0-127, and the head of
 * ASCII strings shorter than 32. The numbers are part of the format: results of old jobs are read with them, so they are
 * never reused; new kinds get new numbers.
 *
 * Lengths and counts are LEB128 (7 bits a byte, low first). Multi-byte numbers are little-endian.
 */

/** 0x00-0x7f: the integer itself. */
export const tagSmallIntMax = 0x7f;
/** 0x80-0x9f: an ASCII string of (tag - 0x80) characters. */
export const tagShortString = 0x80;
/** 0xa0-0xaf: an array of (tag - 0xa0) items. */
export const tagShortArray = 0xa0;

export const tagUndefined = 0xb0;
export const tagNull = 0xb1;
export const tagFalse = 0xb2;
export const tagTrue = 0xb3;
/** An int32, zigzag LEB128. */
export const tagInt = 0xb4;
export const tagFloat64 = 0xb5;
/** Sign byte (0 or 1), byte count, magnitude big-endian. */
export const tagBigInt = 0xb6;
/** Byte count, UTF-8: strings without lone surrogates. */
export const tagUtf8 = 0xb7;
/** Byte count, UTF-16LE: strings with lone surrogates. */
export const tagUtf16 = 0xb8;
/** Float64 of milliseconds; NaN is an invalid date. */
export const tagDate = 0xb9;
/** Source and flags, as two values. */
export const tagRegExp = 0xba;
export const tagArray = 0xbb;
export const tagMap = 0xbc;
export const tagSet = 0xbd;
/** Key count, keys, values. The list of keys gets the next free shape number of the stream. */
export const tagObject = 0xbe;
/** Shape number, values: an object with the same keys as an earlier one. */
export const tagShaped = 0xbf;
/** Key count, then key and value in turn; makes no shape. */
export const tagLooseObject = 0xc0;
/** The same for an object without a prototype. */
export const tagNullObject = 0xc1;
export const tagArrayBuffer = 0xc2;
/** Kind (index in `viewKinds`), byte count, bytes. */
export const tagView = 0xc3;
/** Kind (index in `errorKinds`), then name, message, stack, cause flag and cause, errors (AggregateError) as values. */
export const tagError = 0xc4;
/** A boxed primitive (`new Number(1)`): the primitive follows. */
export const tagBoxed = 0xc5;
/** A number that the caller's `onFunction` gave for a function. */
export const tagFunction = 0xc6;

/** Objects with more keys than this make no shape: such objects are maps in disguise. */
export const shapeKeysMax = 64;
/** Shapes a stream may have: lookups stay cheap, and a stream that always changes its keys costs little. */
export const shapeCountMax = 64;
/** Arrays in arrays in arrays …: deeper values are refused, on both sides, so that no input can overflow the stack. */
export const valueDepthMax = 500;
/** A single value may not be larger than this once encoded. */
export const valueBytesMax = 512 * 1024 * 1024;

interface ViewConstructor {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly name: string;
  readonly BYTES_PER_ELEMENT?: number;
}

/** Kinds of views in the order of their numbers. */
export const viewKinds: readonly ViewConstructor[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  Float16Array,
];

/** Kinds of errors in the order of their numbers; subclasses are kept as their nearest kind, with their own name. */
export const errorKinds = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const;

/** Objects marked with this are encoded as plain ones (the client's `Params`). */
export const plainMark: unique symbol = Symbol.for("disco-mapreduce.params") as never;
