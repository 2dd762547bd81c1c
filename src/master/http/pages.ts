/**
 * The web page: files that are the same for everybody and hold no data, so they need no token. What the page shows it asks the JSON
 * API for, as any client.
 *
 * PG1. A request's path is looked up in a list made of our own directory, and never becomes part of a file's path.
 * PG2. The page runs scripts and styles of this server and nothing else, and nobody frames it.
 *
 * In a checkout the scripts are TypeScript, stripped of their types when first asked for; the published package has them built.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageFolder } from "../../package-files.ts";
import { pageScript } from "./page-script.ts";
import { text } from "./route.ts";
import { wrongMethod } from "./routes.ts";
import { send } from "./send.ts";

const directory = fileURLToPath(new URL("web", packageFolder));

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

interface Page {
  readonly contentType: string;
  readonly body: Buffer;
  /** Strong, of the bytes. */
  readonly tag: string;
}

/** Pages have these paths, all other files lie below `/web/`. */
export const pagePaths: ReadonlySet<string> = new Set(["/", "/job.html", "/config.html"]);

export class Pages {
  /** Names of files by the path under which they are served. */
  #files: ReadonlyMap<string, string> | null = null;
  readonly #read = new Map<string, Page>();

  answer({ method = "", headers }: IncomingMessage, response: ServerResponse, path: string): void {
    const page = this.#page(path);
    if (page === null) {
      send(response, text("Not found.", 404));
      return;
    }
    if (method !== "GET" && method !== "HEAD") {
      send(response, wrongMethod(path, ["GET", "HEAD"]));
      return;
    }
    response.setHeader("content-security-policy", policy);
    response.setHeader("cross-origin-opener-policy", "same-origin");
    // Asked for again each time, so that a new version is seen at once; it is not sent again when it is the same.
    response.setHeader("cache-control", "no-cache");
    response.setHeader("etag", page.tag);
    if (isKnown(headers["if-none-match"], page.tag)) {
      response.statusCode = 304;
      response.end();
      return;
    }
    send(response, { status: 200, contentType: page.contentType, body: page.body });
  }

  #page(path: string): Page | null {
    this.#files ??= listFiles();
    const file = this.#files.get(path);
    if (file === undefined) return null;
    let page = this.#read.get(path);
    if (page === undefined) this.#read.set(path, (page = readPage(file)));
    return page;
  }
}

function listFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(directory)) {
    const type = extname(name);
    if (types[type] === undefined || /\.(?:test|d)\.ts$/.test(name)) continue;
    files.set(pathOf(name, type), name);
  }
  return files;
}

function pathOf(name: string, type: string): string {
  if (name === "index.html") return "/";
  if (type === ".html") return `/${name}`;
  return `/web/${type === ".ts" ? `${name.slice(0, -type.length)}.js` : name}`;
}

function readPage(name: string): Page {
  const type = extname(name);
  const file = readFileSync(join(directory, name));
  const body = type === ".ts" ? Buffer.from(pageScript(file.toString("utf8")), "utf8") : file;
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { contentType: types[type] ?? "application/octet-stream", body, tag };
}

/** Whether the browser has these bytes. */
function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  return (ifNoneMatch ?? "").split(",").some((given) => given.trim().replace(/^W\//, "") === tag);
}
