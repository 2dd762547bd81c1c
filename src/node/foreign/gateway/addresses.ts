/**
 * What addresses are called for the workers of one job. They reach nothing but their node's gateway, by HTTP, and know no names of
 * nodes, no tokens and no certificates:
 *
 *   disco://NODE/disco/NODE/hh/JOB/F      http://127.0.0.1:PORT/KEY/disco/NODE/hh/JOB/F
 *   dir://NODE/disco/NODE/hh/JOB/F        dir://127.0.0.1:PORT/KEY/disco/NODE/hh/JOB/F     (a worker asks for it by HTTP)
 *   disco://NODE/ddfs/volN/blob/hh/B      http://127.0.0.1:PORT/KEY/proxy/NODE/GET/ddfs/volN/blob/hh/B
 *   STORE/blob/hh/B                       http://127.0.0.1:PORT/KEY/ddfs/vol0/blob/hh/B    (a store that all nodes share)
 *
 * GA1. What leads to the gateway leads back: `outside` of it is an address with the same contents that holds everywhere.
 * GA2. What is of another cluster, which an address says by a port, leads there: Disco's workers would take the gateway's port. A node
 *      that is not known is one of this cluster that is away.
 * GA3. Addresses of Disco's have names as they are, those of HTTP percent-encoded ones.
 *
 * Files of the own node may be read as files, where Disco's protocol says so: inputs. All else that workers read, they ask for.
 */
import { isPlainName, pathOf, pathSegments } from "../../data-server/request-path.ts";

export interface AddressesParts {
  /** `127.0.0.1:PORT` of the gateway. */
  readonly authority: string;
  /** First segment of the paths of the job's workers. */
  readonly key: string;
  /** The own node. */
  readonly host: string;
  /** Whether it is, or was, the name of a node of this cluster. */
  readonly isNode: (name: string) => boolean;
  /** Whether the own node has a file at that path of Disco's (`/ddfs/vol0/…`). */
  readonly isFile: (path: string) => boolean;
  /** Address of the store that all nodes share instead of volumes of their own; `null`: none. */
  readonly store: string | null;
}

interface DiscoPlace {
  readonly scheme: string;
  readonly host: string;
  /** Empty: not said. */
  readonly port: string;
  /** The node that has it. */
  readonly node: string;
  /** Without a detour by another node. */
  readonly path: readonly string[];
  readonly isDirect: boolean;
}

export class Addresses {
  readonly #parts: AddressesParts;
  /** Of all that is asked for. */
  readonly base: string;

  constructor(parts: AddressesParts) {
    this.#parts = parts;
    this.base = `http://${parts.authority}/${parts.key}`;
  }

  /** As workers ask for it. */
  inside(url: string): string {
    const { store } = this.#parts;
    const stored = store === null ? null : blobIn(store, url);
    if (stored !== null) return this.base + pathOf(["ddfs", "vol0", "blob", ...stored]);
    const place = placeOf(url);
    if (place === null) return url;
    const { scheme, port, node, path } = place;
    if (port !== "" && !this.#isOurs(node)) return elsewhere(url, place);
    const base = scheme === "dir" ? this.base.replace(/^http:/, "dir:") : this.base;
    return base + pathOf(path[0] === "disco" ? path : ["proxy", node, "GET", ...path]);
  }

  /** As workers are told of an input: what this node has itself they read as a file. */
  input(url: string): string {
    const place = placeOf(url);
    const { host, isFile } = this.#parts;
    if (place === null || place.scheme === "dir" || !place.isDirect || place.port !== "") return this.inside(url);
    if (place.host !== host || place.node !== host) return this.inside(url);
    return place.path[0] === "disco" || isFile(`/${place.path.join("/")}`) ? url : this.inside(url);
  }

  /** The inverse of `inside`: as it is called everywhere. */
  outside(url: string): string {
    const { authority, key, host, store } = this.#parts;
    const [, scheme = "", rest = ""] = /^(http|dir|disco):\/\/(.*)$/s.exec(url) ?? [];
    const prefix = `${authority}/${key}/`;
    if (!rest.startsWith(prefix)) return url;
    const segments = pathSegments(rest.slice(prefix.length - 1));
    if (segments === null) return url;
    const [first, second = "", third = "", ...more] = segments;
    const disco = scheme === "dir" ? "dir" : "disco";
    if (first === "disco" && second !== "") return `${disco}://${second}/${segments.join("/")}`;
    if (first === "proxy" && more.length > 0) return `${disco}://${second}/${more.join("/")}`;
    if (first !== "ddfs" || third === "") return url;
    if (second === "tag") return more.length === 0 ? `tag://${third}` : url;
    if (store !== null && third === "blob") return `${store}/blob/${more.join("/")}`;
    return `disco://${host}/${segments.join("/")}`;
  }

  #isOurs(name: string): boolean {
    return name === this.#parts.host || this.#parts.isNode(name);
  }
}

/** `null`: no address of Disco's, or one whose names cannot be asked for. */
function placeOf(url: string): DiscoPlace | null {
  const match = /^(disco|dir):\/\/(\[[0-9a-fA-F:.]+\]|[^/:]+)(?::(\d{1,5}))?\/(.*)$/s.exec(url);
  const [, scheme = "", host = "", port = "", rest = ""] = match ?? [];
  const segments = rest.split("/");
  if (match === null || !segments.every(isPlainName)) return null;
  const [first, through = "", method] = segments;
  const isDirect = first !== "proxy";
  if (!isDirect && method !== "GET") return null;
  const path = isDirect ? segments : segments.slice(3);
  const [kind, second] = path;
  if (second === undefined || (kind !== "disco" && kind !== "ddfs")) return null;
  const node = kind === "disco" ? second : isDirect ? host : through;
  return { scheme, host, port, node, path, isDirect };
}

function elsewhere(url: string, { scheme, host, port, node, path, isDirect }: DiscoPlace): string {
  // Whoever asks for an index takes the port that it says.
  if (scheme === "dir") return url;
  return `http://${host}:${port}${pathOf(isDirect ? path : ["proxy", node, "GET", ...path])}`;
}

/** `[HH, OBJECT]` */
function blobIn(store: string, url: string): readonly string[] | null {
  if (!url.startsWith(`${store}/blob/`)) return null;
  const names = url.slice(store.length + "/blob/".length).split("/");
  return names.length === 2 && names.every(isPlainName) ? names : null;
}
