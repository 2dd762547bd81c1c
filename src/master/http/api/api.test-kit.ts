/** The API over any master, on a server of its own. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scope } from "../../../protocol/api/operation.ts";
import type { ServedMaster } from "../../served-master.ts";
import type { FakeMaster } from "../fake-master.test-kit.ts";
import { type ApiOptions, createApi } from "./api.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Code of the error, if it is one. */
  readonly code: string | undefined;
  readonly value: unknown;
}

export class ApiServer implements AsyncDisposable {
  readonly errors: unknown[] = [];
  /** What the guard says of all who ask. */
  scope: Scope = "admin";
  readonly #closing = new AbortController();
  readonly #server;

  constructor(master: ServedMaster, options: Partial<ApiOptions> = {}) {
    const api = createApi(master, { packBytesMax: 1_000, onError: (error) => this.errors.push(error), ...options });
    this.#server = createServer((request, response) => {
      void api(request, response, { scope: this.scope, closing: this.#closing.signal });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async ask(method: string, path: string, init: RequestInit & { json?: unknown } = {}): Promise<Answer> {
    const { json, ...rest } = init;
    const body =
      json === undefined ? {} : { body: JSON.stringify(json), headers: { "content-type": "application/json" } };
    const reply = await fetch(this.url + path, { method, ...body, ...rest });
    const text = await reply.text();
    const isJson = reply.headers.get("content-type")?.startsWith("application/json") === true && text !== "";
    const value: unknown = isJson ? JSON.parse(text) : null;
    const code = (value as { error?: { code?: string } } | null)?.error?.code;
    return { status: reply.status, headers: reply.headers, text, code, value };
  }

  /** The server is about to close: those who wait are told. */
  beginClosing(): void {
    this.#closing.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Checks that nothing is done for a request that is wrong. */
export function refusing(server: () => ApiServer, master: () => FakeMaster) {
  return async (status: number, code: string, ...asked: Parameters<ApiServer["ask"]>): Promise<void> => {
    const [calls, packs] = [master().calls.length, master().packs.length];
    const answer = await server().ask(...asked);
    assert.deepEqual([answer.status, answer.code], [status, code], `${asked[0]} ${asked[1]}: ${answer.text}`);
    assert.deepEqual([master().calls.length, master().packs.length], [calls, packs], "something was done");
  };
}
