/** Answers to what Node's parser refuses: there is no request yet, only a socket. */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

const reasons: Readonly<Record<string, readonly [status: string, reason: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "the headers are too large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ["413 Content Too Large", "the chunk extensions are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request came too slowly"],
};
const otherwise = ["400 Bad Request", "this is no HTTP request that can be understood"] as const;

/** `open`: answers that have begun or will; a status line in the middle of one would be part of it. */
export function answerParserError(error: NodeJS.ErrnoException, socket: Duplex, open: Iterable<ServerResponse>): void {
  for (const response of open) if (response.socket === socket && response.headersSent) socket.destroy();
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = reasons[error.code ?? ""] ?? otherwise;
  const body = JSON.stringify(reason);
  const lines = [
    `HTTP/1.1 ${status}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "X-Content-Type-Options: nosniff",
    "Cache-Control: no-store",
    "Content-Security-Policy: default-src 'none'",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
