import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tagTokenHeader } from "../../../protocol/ddfs/tag-headers.ts";
import { openEmbedded } from "../../embedded.ts";
import type { ServedMaster } from "../../served-master.ts";
import { innerDoor } from "./inner-door.ts";
import { shownToken } from "./shown-token.ts";

const root = await mkdtemp(join(tmpdir(), "disco-inner-door-"));
after(() => rm(root, { recursive: true, force: true }));

test("the master of this process answers for DDFS without a socket, and opens no tag but by its token", async () => {
  const master = (await openEmbedded({ root, journal: "memory" })) as ServedMaster;
  const door = innerDoor(master);
  const { signal } = new AbortController();
  const ask = async (
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<[number, unknown]> => {
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const reply = await door({
      method,
      path,
      headers: token === undefined ? {} : { [tagTokenHeader]: token },
      body: bytes,
      signal,
    });
    const text = Buffer.concat((await reply.toArray()) as Buffer[]).toString();
    return [reply.statusCode ?? 0, reply.headers["content-type"] === "application/json" ? JSON.parse(text) : text];
  };
  try {
    const urls = [["http://a/b"], ["tag://u"]];
    const [status, [id]] = (await ask("POST", "/ddfs/tag/data:t?update=1", urls, "key")) as [number, string[]];
    assert.equal(status, 200);
    assert.match(id ?? "", /\/data:t\$/);
    const [, tag] = await ask("GET", "/ddfs/tag/data:t", undefined, "key");
    assert.deepEqual((tag as { urls: unknown }).urls, urls);
    for (const token of [undefined, "another"])
      assert.equal((await ask("GET", "/ddfs/tag/data:t", undefined, token))[0], 401);
    const [, places] = await ask("GET", "/api/v1/ddfs/new_blob/b?replicas=1");
    assert.deepEqual(
      (places as { host: string }[]).map(({ host }) => host),
      ["localhost"],
    );
    assert.deepEqual(await ask("GET", "/ddfs/tags/data:"), [200, ["data:t"]]);
    assert.equal((await ask("GET", "/ddfs/nothing"))[0], 404);
    assert.equal((await ask("GET", "/ddfs/tag/%zz"))[0], 400);
    assert.deepEqual(await ask("DELETE", "/ddfs/tag/data:t", undefined, "key"), [200, "deleted"]);
  } finally {
    await master.close();
  }
});

test("a request that is lost on the way, or called off, is an error of communication", async () => {
  const door = innerDoor({ openDdfs: () => new Promise(() => undefined) });
  const gone = new AbortController();
  const asked = door({ method: "GET", path: "/ddfs/tags/", headers: {}, body: null, signal: gone.signal });
  gone.abort();
  await assert.rejects(asked, { code: "peer-unreachable" });
  const broken = innerDoor({ openDdfs: () => Promise.reject(new Error("a disk is on fire")) });
  const reply = await broken({
    method: "GET",
    path: "/ddfs/tags/",
    headers: {},
    body: null,
    signal: new AbortController().signal,
  });
  assert.equal(reply.statusCode, 500);
  assert.doesNotMatch(Buffer.concat((await reply.toArray()) as Buffer[]).toString(), /fire/);
});

test("a token with the scope admin opens every tag, but not for workers that jobs bring along", () => {
  const request = (headers: IncomingMessage["headers"]): IncomingMessage => ({ headers }) as IncomingMessage;
  const admin = { scope: "admin", isGuarded: true } as const;
  assert.deepEqual(shownToken(request({ authorization: "Bearer x" }), admin), { master: true });
  const worker = { authorization: "Bearer x", "disco-for-worker": "1" };
  assert.deepEqual(shownToken(request(worker), admin), {});
  assert.deepEqual(shownToken(request({ ...worker, "disco-tag-token": "j%20b" }), admin), { token: "j b" });
});
