/** What a running daemon says of its jobs and nodes. */
import type { MasterInfo, NodeInfo } from "../../client/master-api.ts";
import { httpGet } from "./http-get.ts";

export type MasterReport =
  | { readonly kind: "answer"; readonly info: MasterInfo; readonly nodes: readonly NodeInfo[] }
  /** `why`: a sentence without its end. */
  | { readonly kind: "unknown"; readonly why: string };

/** @param token the token to send, which may have to be read from a file */
export async function masterReport(url: string, token: () => string | null): Promise<MasterReport> {
  let sent: string | null;
  try {
    sent = token();
  } catch (error) {
    return { kind: "unknown", why: error instanceof Error ? error.message : String(error) };
  }
  const [info, nodes] = await Promise.all([ask(url, "/api/v1/master", sent), ask(url, "/api/v1/nodes", sent)]);
  if (info.kind === "unknown") return info;
  if (nodes.kind === "unknown") return nodes;
  const list = Array.isArray(nodes.body) ? nodes.body : (nodes.body as { readonly nodes?: unknown })["nodes"];
  return { kind: "answer", info: info.body as MasterInfo, nodes: Array.isArray(list) ? (list as NodeInfo[]) : [] };
}

async function ask(
  url: string,
  path: string,
  token: string | null,
): Promise<{ readonly kind: "answer"; readonly body: object } | (MasterReport & { readonly kind: "unknown" })> {
  const answer = await httpGet(new URL(path, url), token);
  if (answer.kind !== "answer") return { kind: "unknown", why: `${url} does not answer` };
  const { status, body } = answer;
  if (status === 401) {
    const why =
      token === null
        ? "it asks for a token: set DISCO_TOKEN, or token_file in disco.toml"
        : "it does not know this token";
    return { kind: "unknown", why };
  }
  if (status !== 200 || typeof body !== "object" || body === null) {
    return { kind: "unknown", why: `it answered ${status} to ${path}` };
  }
  return { kind: "answer", body };
}
