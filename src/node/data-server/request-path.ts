/**
 * The path of a request, taken apart strictly: nothing in it can lead anywhere but down. Each segment is decoded once, so that what
 * was encoded twice is a name with a per cent sign in it, which is not there.
 */

const pathCharsMax = 4096;
const segmentsMax = 32;

/**
 * The segments of a request's target, without its query. `null`: it is no path of plain names (`..`, an empty segment, a slash or a
 * backslash in a name, NUL and other control characters, bytes that are not UTF-8, in any encoding).
 */
export function pathSegments(target: string): string[] | null {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  if (!path.startsWith("/") || path.length > pathCharsMax) return null;
  const encoded = path.slice(1).split("/");
  if (encoded.length > segmentsMax) return null;
  const segments: string[] = [];
  for (const one of encoded) {
    const segment = decoded(one);
    if (segment === null || !isPlainName(segment)) return null;
    segments.push(segment);
  }
  return segments;
}

/**
 * The inverse of `pathSegments`. `@`, `:` and `$`, which are in the names of all jobs and blobs, stay as they are: Disco's clients take
 * the name of a blob from what stands before the `$` of its address.
 */
export function pathOf(segments: readonly string[]): string {
  return segments.map((one) => `/${encodeURIComponent(one).replace(/%(?:40|3A|24)/g, decodeURIComponent)}`).join("");
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Whether it can be a segment of a path. */
export function isPlainName(segment: string): boolean {
  return segment !== "" && segment !== "." && segment !== ".." && !/[/\\\p{Cc}\u2028\u2029]/u.test(segment);
}
