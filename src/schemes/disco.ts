/**
 * `disco://HOST/disco/PATH` names the file PATH in the data directory of node HOST: here a file, elsewhere the same path at
 * that node's data server. (The seed: `disco://cnode03/bigtxt/file_name` is `cnode03:/var/disco/bigtxt/file_name`.)
 */
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { openFile } from "./file.ts";
import { openHttp } from "./http.ts";
import type { ByteSource, Scheme, SchemeContext } from "./scheme.ts";

const defaultPort = 8989;

export interface DiscoAddress {
  readonly host: string;
  /** Port named in the address, which overrides the node's known data server. */
  readonly port: number | null;
  /** With its leading slash: `/disco/HOST/hh/JOB/FILE`. */
  readonly path: string;
}

/** Takes a `disco://` or `dir://` address apart. Throws `DataError`. */
export function parseDiscoUrl(url: string): DiscoAddress {
  const match = /^(?:disco|dir):\/\/([^/:]+)(?::(\d{1,5}))?(\/.*)$/s.exec(url);
  const [, host, port, path] = match ?? [];
  if (host === undefined || path === undefined || path.split("/").includes("..") || path.includes("\0")) {
    throw new DataError(`${url} is not an address of the form disco://HOST/PATH`, {
      code: "bad-url",
      retry: "never",
      url,
    });
  }
  return { host, port: port === undefined ? null : Number(port), path };
}

/** The file that an address of this node names; `null` when it is another node's. */
export function localPath(address: DiscoAddress, context: SchemeContext): string | null {
  if (context.dataDir === undefined || address.host !== context.host) return null;
  return join(context.dataDir, address.path.replace(/^\/disco\//, "/"));
}

/** Opens what `address` names, under the name `url`. */
export function openDisco(url: string, address: DiscoAddress, context: SchemeContext): ByteSource {
  const path = localPath(address, context);
  if (path !== null) return openFile(url, { path, from: 0, to: null });
  const known = address.port === null ? context.dataServers?.[address.host] : undefined;
  const base = known ?? `http://${address.host}:${address.port ?? defaultPort}`;
  return openHttp(url, base.replace(/\/$/, "") + address.path);
}

export const discoScheme: Scheme = {
  open(url, context) {
    return openDisco(url, parseDiscoUrl(url), context);
  },
};
