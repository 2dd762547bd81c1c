/** A server of the test's own, which answers as S3 does where things go wrong; `test/cluster/s3-*.test.ts` have a real one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { type ConnectionParts, S3Connection } from "./connection.ts";
import { listPage } from "./listing.ts";
import { headObject, openObject } from "./objects.ts";
import { attemptsMax, pauseMsAfter, RetryBudget } from "./retries.ts";

const at = { bucket: "bucket", key: "dir/key" };
const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));

describe("requests to S3", () => {
  let server: http.Server;
  let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
  let requests: http.IncomingMessage[] = [];
  let pauses: number[] = [];

  before(async () => {
    server = http.createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  beforeEach(() => {
    requests = [];
    pauses = [];
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  function connect(more: Partial<ConnectionParts> = {}): S3Connection {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: "AK", secretAccessKey: "very secret", sessionToken: "token" };
    return new S3Connection({
      account: { endpoint, region: "eu-central-1", credentials },
      pause: async (ms) => void pauses.push(ms),
      random: () => 1,
      ...more,
    });
  }

  function refuse(
    response: http.ServerResponse,
    status: number,
    code: string,
    headers: http.OutgoingHttpHeaders = {},
  ): void {
    response.writeHead(status, headers).end(`<Error><Code>${code}</Code><Message>why &amp; how</Message></Error>`);
  }

  async function read(connection: S3Connection, options: Parameters<typeof openObject>[2] = {}): Promise<Buffer> {
    const opened = await openObject(connection, at, options);
    const chunks: Uint8Array[] = [];
    for await (const chunk of opened?.chunks ?? []) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** All or a part of `bytes`, as S3 does it; cut after `most` bytes. */
  function serve(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    most = bytes.length,
    etag = '"1"',
  ): void {
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const part = bytes.subarray(Number(from), to === "" ? bytes.length : Number(to) + 1);
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      etag,
      "content-length": part.length,
      "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
      "last-modified": "Mon, 23 Nov 2026 14:00:00 GMT",
    });
    if (most >= part.length) response.end(part);
    else response.write(part.subarray(0, most), () => response.destroy());
  }

  it("are signed, and the secret is in none of them", async () => {
    answer = serve;
    await headObject(connect(), at);
    const { headers = {}, url } = requests[0] ?? {};
    assert.equal(url, "/bucket/dir/key");
    assert.match(
      headers.authorization ?? "",
      /^AWS4-HMAC-SHA256 Credential=AK\/\d{8}\/eu-central-1\/s3\/aws4_request, /,
    );
    assert.equal(headers["x-amz-security-token"], "token");
    assert.doesNotMatch(JSON.stringify(headers), /very secret/);
  });

  it("without credentials are not signed", async () => {
    answer = serve;
    const { port } = server.address() as AddressInfo;
    await headObject(
      connect({ account: { endpoint: `http://127.0.0.1:${port}`, region: "x", credentials: null } }),
      at,
    );
    assert.equal(requests[0]?.headers.authorization, undefined);
  });

  it("are sent again when the server is busy, later and later, and not before it says", async () => {
    const refusals: [number, string, http.OutgoingHttpHeaders?][] = [
      [503, "SlowDown"],
      [500, "InternalError"],
      [429, "Throttling", { "retry-after": "7" }],
    ];
    answer = (request, response) => {
      const refusal = refusals.shift();
      if (refusal === undefined) serve(request, response);
      else refuse(response, ...refusal);
    };
    assert.deepEqual(await read(connect()), bytes);
    assert.deepEqual(pauses, [100, 200, 7_000]);
  });

  it("are given up at last, with what the server said", async () => {
    answer = (_, response) => refuse(response, 503, "SlowDown");
    await assert.rejects(read(connect()), {
      name: "CommError",
      code: "s3-unreachable",
      message: "s3://bucket/dir/key: the server answered 503 SlowDown: why & how, tried 7 times",
    });
    assert.equal(requests.length, attemptsMax);
  });

  it("that fail by the hundreds are not all sent again", async () => {
    answer = (_, response) => refuse(response, 503, "SlowDown");
    const connection = connect();
    for (let i = 0; i < 100; i++) await assert.rejects(read(connection), { code: "s3-unreachable" });
    assert.ok(requests.length < 320, `${requests.length} requests`);
  });

  it("that break off go on with the next byte of the same version", async () => {
    let cuts = 3;
    answer = (request, response) => serve(request, response, cuts-- > 0 ? 1_000 : undefined);
    assert.deepEqual(await read(connect()), bytes);
    assert.deepEqual(
      requests.map(({ headers }) => [headers.range, headers["if-match"]]),
      [
        [undefined, undefined],
        ["bytes=1000-9999", '"1"'],
        ["bytes=2000-9999", '"1"'],
        ["bytes=3000-9999", '"1"'],
      ],
    );
  });

  it("notice that the object changed, or went, while it was read", async () => {
    for (const status of [412, 404]) {
      let isFirst = true;
      answer = (request, response) => {
        if (isFirst) serve(request, response, 1_000);
        else refuse(response, status, status === 404 ? "NoSuchKey" : "PreconditionFailed");
        isFirst = false;
      };
      await assert.rejects(read(connect()), { code: "input-changed", message: /at byte 1000/ });
    }
  });

  it("do not wait for ever: neither for an answer nor for the rest of one", async () => {
    answer = () => undefined;
    await assert.rejects(read(connect({ answerMsMax: 20 })), { code: "s3-unreachable", message: /no answer within/ });
    answer = (_, response) => response.writeHead(200, { "content-length": 100, etag: '"1"' }).flushHeaders();
    await assert.rejects(read(connect({ idleMsMax: 20 })), { code: "s3-unreachable", message: /no data for/ });
    server.closeAllConnections();
  });

  it("give parts as they are asked for", async () => {
    answer = (request, response) => serve(request, response);
    assert.deepEqual(await read(connect(), { from: 10, to: 20 }), bytes.subarray(10, 20));
    assert.deepEqual(await read(connect(), { from: 9_990 }), bytes.subarray(9_990));
    assert.deepEqual(await read(connect(), { from: 9_990, to: 20_000 }), bytes.subarray(9_990));
  });

  it("that are refused say why, with the remedy", async () => {
    const refusals: readonly (readonly [number, string, string, RegExp])[] = [
      [404, "NoSuchBucket", "no-such-bucket", /AWS_ENDPOINT_URL/],
      [403, "AccessDenied", "s3-access", /account of AWS_ACCESS_KEY_ID/],
      [403, "InvalidAccessKeyId", "s3-access", /AWS_ACCESS_KEY_ID/],
      [403, "SignatureDoesNotMatch", "s3-access", /AWS_SECRET_ACCESS_KEY/],
      [400, "ExpiredToken", "s3-access", /AWS_SESSION_TOKEN/],
      [403, "RequestTimeTooSkewed", "clock-skew", /NTP/],
      [301, "PermanentRedirect", "wrong-region", /AWS_REGION=eu-west-3/],
      [400, "AuthorizationHeaderMalformed", "wrong-region", /AWS_REGION=eu-west-3/],
      [403, "InvalidObjectState", "archived", /[Rr]estore/],
    ];
    for (const [status, code, expected, hint] of refusals) {
      answer = (_, response) => refuse(response, status, code, { "x-amz-bucket-region": "eu-west-3" });
      await assert.rejects(read(connect()), { name: "DataError", code: expected, hint }, code);
      // HEAD says no reason.
      answer = (request, response) =>
        request.method === "HEAD"
          ? response.writeHead(status).end()
          : refuse(response, status, code, { "x-amz-bucket-region": "eu-west-3" });
      await assert.rejects(headObject(connect(), at), { code: expected, hint }, code);
    }
    assert.deepEqual(pauses, []);
  });

  it("for lists take no half of one, and nothing else for one", async () => {
    const entry =
      "<Contents><Key>a%20b&amp;</Key><Size>5</Size><LastModified>2026-11-23T14:00:00.9Z</LastModified></Contents>";
    const list = (inside: string): string =>
      `<ListBucketResult><EncodingType>url</EncodingType>${inside}</ListBucketResult>`;
    const whole = list(`${entry}<IsTruncated>true</IsTruncated><NextContinuationToken>n&#47;1</NextContinuationToken>`);
    answer = (_, response) => response.end(whole);
    assert.deepEqual(await listPage(connect(), { bucket: "bucket", prefix: "a" }), {
      objects: [{ key: "a b&", size: 5, etag: null, modifiedAt: Date.UTC(2026, 10, 23, 14) }],
      next: "n/1",
    });
    for (const half of [
      whole.slice(0, -5),
      list(entry),
      list("<IsTruncated>true</IsTruncated>"),
      "<html>Welcome</html>",
      "",
    ]) {
      answer = (_, response) => response.end(half);
      await assert.rejects(listPage(connect(), { bucket: "bucket", prefix: "a" }), { code: "s3-refused" }, half);
    }
  });
});

describe("pauses between attempts", () => {
  it("double up to a limit, are never shorter than asked, and differ between clients", () => {
    assert.deepEqual(
      [1, 2, 3, 20].map((attempt) => pauseMsAfter(attempt, null, 1)),
      [100, 200, 400, 5_000],
    );
    assert.equal(pauseMsAfter(1, null, 0), 50);
    assert.equal(pauseMsAfter(1, "3", 0), 3_000);
    assert.equal(pauseMsAfter(1, "9999", 0), 30_000);
    assert.equal(pauseMsAfter(1, "Mon, 23 Nov 2026 14:00:00 GMT", 1), 100);
  });

  it("end with their budget, which successes fill", () => {
    const budget = new RetryBudget();
    let taken = 0;
    while (budget.take()) taken++;
    assert.equal(taken, 200);
    for (let i = 0; i < 5; i++) budget.succeeded();
    assert.deepEqual([budget.take(), budget.take()], [true, false]);
  });
});
