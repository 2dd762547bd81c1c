import { ioSource } from "./io/io-source.ts";
import type { NodeFile, StreamTask } from "./io/messages.ts";
import type { ByteSource, Scheme, SchemeContext } from "./scheme.ts";

export const httpScheme: Scheme = { open: (url, context) => openHttp(url, url, context) };

/** A file of a node's data server, which is checked as such, and where it may be had sooner than at the address. */
export interface NodeFileAt {
  readonly file?: NodeFile;
  readonly shortcut?: string | null;
}

/**
 * Downloads `address` in the background, under the name `url`. The request is sent when reading begins; a 404, a cut connection
 * that cannot be resumed or a wrong length are `DataError`s thrown while reading.
 */
export function openHttp(url: string, address: string, context: SchemeContext, asked: NodeFileAt = {}): ByteSource {
  const { file, shortcut = null } = asked;
  const task: StreamTask = {
    kind: "download",
    name: url,
    url: address,
    token: tokenFor(address, context),
    shortcut: shortcut === null ? null : { url: shortcut, token: tokenFor(shortcut, context) },
    file: file ?? null,
    isHasty: context.isHasty === true,
  };
  return ioSource(url, file?.size ?? 0, task);
}

function tokenFor(address: string, { token }: SchemeContext): string | null {
  return (URL.canParse(address) ? token?.(new URL(address).origin) : undefined) ?? null;
}
