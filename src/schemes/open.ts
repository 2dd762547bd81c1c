import { DataError } from "../errors.ts";
import { dirScheme } from "./dir.ts";
import { discoScheme } from "./disco.ts";
import { fileScheme } from "./file.ts";
import { httpScheme } from "./http.ts";
import { rawScheme } from "./raw.ts";
import { s3Scheme } from "./s3.ts";
import type { ByteSource, Scheme, SchemeContext } from "./scheme.ts";
import { tagScheme } from "./tag.ts";

const schemes: Readonly<Record<string, Scheme>> = {
  dir: dirScheme,
  disco: discoScheme,
  file: fileScheme,
  http: httpScheme,
  https: httpScheme,
  raw: rawScheme,
  s3: s3Scheme,
  tag: tagScheme,
};

/** The scheme of an address; `file` for what is a path. Windows drive letters are no schemes. */
export function schemeOf(url: string): string {
  return /^([a-zA-Z][a-zA-Z0-9+.-]+):\/\//.exec(url)?.[1]?.toLowerCase() ?? "file";
}

/** Opens an address of any known scheme. Throws `DataError`. */
export function openUrl(url: string, context: SchemeContext): ByteSource {
  const name = schemeOf(url);
  const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
  if (scheme === undefined) {
    throw new DataError(`${url}: unknown scheme ${name}://`, {
      code: "bad-url",
      retry: "never",
      url,
      hint: `Known are ${Object.keys(schemes).join(", ")} and local paths.`,
    });
  }
  return scheme.open(url, context);
}
