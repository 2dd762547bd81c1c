/** One question to a daemon, without the machinery of clients: no retries, a short time to answer, a bounded reply. */
const answerTimeoutMs = 3000;
const answerBytesMax = 4 * 2 ** 20;

export type Answer =
  | { readonly kind: "answer"; readonly status: number; readonly body: unknown; readonly date: number | null }
  /** Nobody listens there. */
  | { readonly kind: "refused"; readonly code: string }
  /** Somebody listens and says nothing. */
  | { readonly kind: "silent" };

/** @param token sent as bearer, if there is one */
export async function httpGet(url: URL | string, token: string | null = null): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const headers = { accept: "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const isSafe = new URL(url).protocol === "https:";
  // An import would list all that the module exports, and so load `fetch` with it, which takes longer than the question.
  const { request } = process.getBuiltinModule(isSafe ? "node:https" : "node:http");
  const asking = request(url, { agent: false, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.length > answerBytesMax) response.destroy();
    });
    response.on("error", () => undefined);
    response.on("close", () => {
      const date = Date.parse(response.headers.date ?? "");
      const known = Number.isNaN(date) ? null : date;
      resolve({ kind: "answer", status: response.statusCode ?? 0, body: parsed(text), date: known });
    });
  });
  const timer = setTimeout(() => {
    resolve({ kind: "silent" });
    asking.destroy();
  }, answerTimeoutMs);
  asking.on("error", (error: NodeJS.ErrnoException) => resolve({ kind: "refused", code: error.code ?? error.message }));
  asking.end();
  return promise.finally(() => clearTimeout(timer));
}

/** `null`: it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
