/**
 * The contents of a block, in numbers. Two columns, keys and values, and behind them the text of both:
 *
 *   column of keys | column of values | narrow length u32 | narrow text | wide text
 *   a column: kind u8 | length of what follows u32 | contents
 *
 * Strings lie in the text record by record, the key's before the value's: a record's text is one piece, which one copy moves
 * when records are sorted. A string is narrow, a byte a unit (latin1), or wide, two bytes a unit (UTF-16LE), each in its part.
 */

/** One value (value codec) for all records. */
export const kindConstant = 0;
export const kindInt8 = 1;
export const kindInt16 = 2;
export const kindInt32 = 3;
export const kindFloat64 = 4;
/** Lengths, as a list of marks; the strings are in the text. */
export const kindText = 5;
/**
 * The distinct strings, and for each record which: width of an id u8 (0: all are the first, 1, 2, 4) | count of strings u32 | ids
 * | list of marks of the strings | narrow length u32 | narrow text | wide text.
 */
export const kindDictionary = 6;
/** Anything, by the value codec. */
export const kindValues = 7;

/** Bytes of a number, by kind. */
export const numberWidths: readonly number[] = [0, 1, 2, 4, 8];

/**
 * A list of marks: form u8, then the marks. The form is the width of a mark (1, 2, 4; 0: all are the same, and one u32
 * follows), plus `formWide` where marks are doubled lengths, plus 1 for a wide string; else they are lengths.
 */
export const formWide = 8;
