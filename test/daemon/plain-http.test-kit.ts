/** Requests as a client of Disco sends them: one a connection, with the path as it stands. */
import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  json(): unknown;
}

export interface Asked {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As Disco's client shows the token of a tag. */
export function shown(token: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`token:${token}`).toString("base64")}` };
}

/** The path goes out as it stands: nothing tidies it up. */
export async function ask(
  base: string,
  path: string,
  { method = "GET", body, headers = {} }: Asked = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  const sent = http.request({ hostname, port, path, method, headers, agent: false });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [http.IncomingMessage];
  const said = await text(answer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: said, json: () => JSON.parse(said) };
}
