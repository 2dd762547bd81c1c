/** Arbitrary values of every kind that records may hold, for property tests. */
import fc from "fast-check";
import { viewKinds } from "./value-tags.ts";

/** Any UTF-16 string, lone surrogates too. */
export const anyString: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe010 })), { maxLength: 12 })
    .map((units) => String.fromCharCode(...units)),
);

export const anyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.integer(),
  fc.integer({ min: -3, max: 130 }),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1),
);

const anyView = fc.tuple(fc.constantFrom(...viewKinds), fc.uint8Array({ maxLength: 8 })).map(([View, bytes]) => {
  const buffer = new ArrayBuffer(bytes.length * 8);
  new Uint8Array(buffer).set(bytes);
  return new View(buffer);
});

const anyError = fc
  .tuple(fc.constantFrom(Error, TypeError, RangeError), fc.string())
  .map(([Kind, message]) => new Kind(message, { cause: message }));

const primitive: fc.Arbitrary<unknown> = fc.oneof(
  anyString,
  anyNumber,
  fc.constantFrom(undefined, null, true, false),
  fc.bigInt(),
);

const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    primitive,
    fc.date(),
    fc.constantFrom(/a+/gi, /\//u, new Date(Number.NaN), Object(1), Object("x")),
    anyView,
    anyError,
    fc.array(tie("any"), { maxLength: 20 }),
    fc.dictionary(fc.oneof(fc.constantFrom("a", "b", "c", "__proto__", "0"), anyString), tie("any"), { maxKeys: 5 }),
    fc.array(fc.tuple(tie("any"), tie("any")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie("any"), { maxLength: 4 }).map((items) => new Set(items)),
  ),
}));

/** Any value that can be encoded. */
export const anyValue: fc.Arbitrary<unknown> = any;

/** What keys usually are, with many equal ones. */
export const anyKey: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "aa",
    "aaaaaaa",
    "aaaaaaaa",
    "aaaaaaa\0",
    "http://a.com/1",
    "http://a.com/2",
    "http://b.com/1",
  ),
  fc.integer({ min: -2, max: 2 }),
  anyString,
  anyNumber,
  fc.tuple(fc.constantFrom("a", "b", 1, 2), fc.integer({ min: 0, max: 3 })),
  anyValue,
);
