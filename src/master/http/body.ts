/** Small bodies, read as a whole: never more than the limit, however they are sent. */
import type { IncomingMessage } from "node:http";
import { type HttpLimits, isDeeper, tooLarge } from "../../http/limits.ts";
import { Refused } from "../../http/refusal.ts";

/**
 * The bytes of a body, which are JSON or will not be used.
 * @throws Refused 413, 400
 */
export async function readBody(request: IncomingMessage, limits: HttpLimits): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const iterator = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const part of iterator) {
    bytes += part.byteLength;
    if (bytes > limits.jsonBytesMax) throw new Refused(tooLarge(limits.jsonBytesMax));
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  if (isDeeper(body, limits.jsonDepthMax)) {
    throw new Refused({
      status: 400,
      code: "too-deep",
      message: `JSON of at most ${limits.jsonDepthMax} nested brackets expected`,
    });
  }
  return body;
}
