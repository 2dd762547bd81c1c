/**
 * The node's gateway for workers that jobs bring along: one HTTP server on this machine alone, where they get all that Disco's protocol
 * has them ask of the cluster. So names of nodes need not be names of hosts, and tokens, certificates and the whereabouts of the master
 * are the node's affair:
 *
 *   worker ──▶ http://127.0.0.1:PORT/KEY ┬─ /disco/NODE/…, /proxy/NODE/GET/…, /ddfs/volN/…   files, here or at that node
 *                                        ├─ /proxy/NODE/PUT/ddfs/BLOB                        a blob, to that node
 *                                        └─ /ddfs/tag/…, /ddfs/tags/…, /ddfs/new_blob/…      the master
 *
 * GW1. Every path begins with the key of a job, which its workers alone know: other users of this machine reach nothing. It holds as
 *      long as the job has work on the node.
 * GW2. Requests go to this cluster's nodes and masters, and nowhere else.
 * GW3. Bodies are streams: of a file no more than a part is in memory. What has to be whole has a limit (`held-bytes.ts`).
 *
 * It is opened with the first such job, and keeps no process alive.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { CommError } from "../../../errors.ts";
import { defaultLimits, serverOptions } from "../../../http/limits.ts";
import { listen } from "../../../http/listen.ts";
import { createDataServer } from "../../data-server/data-server.ts";
import { pathSegments } from "../../data-server/request-path.ts";
import type { OwnBlobs } from "../../ddfs/own-blobs.ts";
import type { Peers } from "../../fetch/peers.ts";
import type { GatewayAccess } from "../gateway-access.ts";
import { Addresses } from "./addresses.ts";
import { refuse, say } from "./answers.ts";
import { DdfsRequests, sayUnanswered } from "./ddfs-requests.ts";
import { FailedUploads } from "./failed-uploads.ts";
import { FileRequests } from "./file-requests.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { MasterDoor } from "./master-door.ts";

export interface GatewayParts {
  readonly dataDir: string;
  /** Name of the own node. */
  readonly host: string;
  /** Names that it had before. Default: none. */
  readonly formerHosts?: ReadonlySet<string> | undefined;
  /** Absent: the node takes no blobs. */
  readonly blobs?: OwnBlobs | undefined;
  /** Base URLs of the data servers of all nodes, by name. */
  readonly nodes: () => Readonly<Record<string, string>>;
  /** How nodes are asked: with the cluster's token, and a certificate authority. Closed by the gateway. */
  readonly peers: Peers;
  /** Called with the first request for DDFS. */
  readonly door: () => Promise<MasterDoor>;
  /** Milliseconds for which requests are held while a master, or a node, is away. Default: 60 s, and 15 s. */
  readonly patience?: { readonly master?: number; readonly node?: number } | undefined;
  /** Of requests and answers of one job that have to be in memory as a whole, together. Default: 512 MiB. */
  readonly heldBytesMax?: number | undefined;
}

/** Some of the largest indexes and lists at once. */
const usualHeldBytesMax = 512 * 1024 * 1024;

interface JobPlace {
  readonly key: Buffer;
  readonly addresses: Addresses;
  readonly failed: FailedUploads;
  readonly held: HeldBytes;
  readonly access: GatewayAccess;
}

/** IPv4, as Disco's clients take what stands before the first colon for the host. */
const listenedAt = "127.0.0.1";
const keyBytes = 24;

export class Gateway {
  readonly #parts: GatewayParts;
  readonly #peers: Peers;
  readonly #files: FileRequests;
  readonly #ddfs: DdfsRequests;
  readonly #jobs = new Map<string, JobPlace>();
  /** By the number that their keys begin with. */
  readonly #places = new Map<string, JobPlace>();
  #listening: Promise<{ readonly server: Server; readonly port: number }> | null = null;
  #count = 0;
  #closed = false;

  constructor(parts: GatewayParts) {
    const { dataDir, host, formerHosts, blobs, door, patience } = parts;
    this.#parts = parts;
    this.#peers = parts.peers;
    this.#files = new FileRequests({
      dataDir,
      isOwn: (node) => node === host || formerHosts?.has(node) === true,
      data: createDataServer({ dataDir, host, blobs, ...(formerHosts === undefined ? {} : { formerHosts }) }),
      peers: this.#peers,
      patienceMs: patience?.node,
    });
    this.#ddfs = new DdfsRequests({ door, isShared: hasStore(blobs), patienceMs: patience?.master });
  }

  /** What the job's workers are told. The same until the job is closed. @throws DiscoError when this machine gives no port */
  async openJob(job: string): Promise<GatewayAccess> {
    const { port } = await this.#listen();
    const known = this.#jobs.get(job);
    if (known !== undefined) return known.access;
    const place = this.#placeOn(port);
    this.#jobs.set(job, place);
    return place.access;
  }

  /** Its key means nothing from now on. */
  closeJob(job: string): void {
    const place = this.#jobs.get(job);
    if (place === undefined) return;
    this.#jobs.delete(job);
    this.#places.delete(numberOf(place.key.toString()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#jobs.clear();
    this.#places.clear();
    const listening = await this.#listening?.catch(() => null);
    if (listening !== null && listening !== undefined) {
      const ended = new Promise<void>((resolve) => listening.server.close(() => resolve()));
      listening.server.closeAllConnections();
      await ended;
    }
    this.#peers.close();
  }

  async #listen(): Promise<{ readonly server: Server; readonly port: number }> {
    this.#listening ??= (async () => {
      const server = http.createServer(serverOptions(defaultLimits), (request, response) => {
        void this.#take(request, response);
      });
      server.maxConnections = defaultLimits.connectionsMax;
      const port = await listen(server, listenedAt, 0);
      server.unref();
      return { server, port };
    })();
    try {
      return await this.#listening;
    } catch (error) {
      this.#listening = null;
      throw error;
    }
  }

  #placeOn(port: number): JobPlace {
    const { dataDir, host, formerHosts, nodes, blobs } = this.#parts;
    const number = String(++this.#count);
    const key = `${number}-${randomBytes(keyBytes).toString("base64url")}`;
    const addresses = new Addresses({
      authority: `${listenedAt}:${port}`,
      key,
      host,
      isNode: (name) => Object.hasOwn(nodes(), name) || formerHosts?.has(name) === true,
      isFile: (path) => existsSync(join(dataDir, path)),
      store: blobs?.sharedHost ?? null,
    });
    const ddfsData = join(dataDir, "ddfs");
    const access: GatewayAccess = {
      master: addresses.base,
      discoPort: port,
      putPort: port,
      discoData: dataDir,
      ddfsData,
      environment: {
        DISCO_MASTER: addresses.base,
        DISCO_PORT: String(port),
        DDFS_PUT_PORT: String(port),
        DISCO_DATA: dataDir,
        DDFS_DATA: ddfsData,
        // A settings file of the machine may name one.
        DISCO_PROXY: "",
      },
      addressForWorker: (url) => addresses.input(url),
      addressFromWorker: (url) => addresses.outside(url),
    };
    const held = new HeldBytes(this.#parts.heldBytesMax ?? usualHeldBytesMax);
    const place = { key: Buffer.from(key), addresses, failed: new FailedUploads(listenedAt), held, access };
    this.#places.set(number, place);
    return place;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    try {
      const [, key = "", target = ""] = /^\/([^/?#]+)(\/.*)$/s.exec(request.url ?? "") ?? [];
      const place = this.#placeBy(key);
      if (place === null || this.#closed) return refuse(request, response, 404, "Not found.");
      const { addresses, failed, held } = place;
      if (/^\/ddfs\/(?!vol\d|[^/?]*\$|[^/?]*%24)/i.test(target)) {
        return await this.#ddfs.answer({ request, response, target, addresses, failed, held });
      }
      const segments = pathSegments(target);
      if (segments === null) return refuse(request, response, 400, "This is no path of a file.");
      await this.#files.answer({ request, response, segments, addresses, failed, held });
    } catch (error) {
      if (response.destroyed) return;
      if (response.headersSent) response.destroy();
      else if (error instanceof CommError) sayUnanswered(response);
      else say(response, 500, `Internal server error: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #placeBy(key: string): JobPlace | null {
    const place = this.#places.get(numberOf(key));
    const shown = Buffer.from(key);
    if (place === undefined || shown.length !== place.key.length) return null;
    return timingSafeEqual(shown, place.key) ? place : null;
  }
}

function numberOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf("-")));
}

function hasStore(blobs: OwnBlobs | undefined): boolean {
  return (blobs?.sharedHost ?? null) !== null;
}
