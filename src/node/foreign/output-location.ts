/** What a worker calls the place of an output: an address, or a path below its job home. It may claim anything. */

export type OutputLocation =
  | { readonly kind: "address"; readonly url: string }
  /** Plain names: none is empty, `.` or `..`. */
  | { readonly kind: "path"; readonly segments: readonly string[] }
  | { readonly kind: "wrong"; readonly why: string };

/** Characters of a path: what file systems take. */
const pathCharsMax = 4_096;

export function outputLocation(location: string): OutputLocation {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(location)) {
    // An index has lines of words.
    return { kind: "address", url: location.replace(/[\s\p{Cc}]/gu, encodeURIComponent) };
  }
  const wrong = (why: string): OutputLocation => ({ kind: "wrong", why: `${JSON.stringify(shown(location))} ${why}` });
  if (location.startsWith("/")) return wrong("is an absolute path: outputs are below the job home");
  if (location.includes("\0")) return wrong("has a NUL");
  if (location.length > pathCharsMax) return wrong(`is longer than ${pathCharsMax} characters`);
  const segments = location.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) return wrong("leads out of the job home");
  return segments.length === 0 ? wrong("names no file") : { kind: "path", segments };
}

function shown(location: string): string {
  return location.length > 200 ? `${location.slice(0, 200)}…` : location;
}
