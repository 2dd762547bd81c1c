/** Tokens of tags beside those of the daemon itself. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startDaemon } from "./daemon.test-kit.ts";
import { ask, shown } from "./plain-http.test-kit.ts";

describe("DDFS of a daemon that asks for tokens", () => {
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const tokens = { read: "reads-a-token-0123", submit: "submits-a-token-0123", admin: "admin-a-token-0123456" };

  it("wants one of its own first; the tag's comes in a header of its own, and admin opens every tag", async () => {
    await using daemon = await startDaemon({
      env: { DISCO_TOKEN: tokens.admin, DISCO_READ_TOKEN: tokens.read, DISCO_SUBMIT_TOKEN: tokens.submit },
    });
    const status = async (
      path: string,
      headers: Record<string, string>,
      method = "GET",
      body?: string,
    ): Promise<number> =>
      (await ask(daemon.url, path, { method, headers, ...(body === undefined ? {} : { body }) })).status;
    const tag = { "disco-tag-token": encodeURIComponent("göheim") };
    const path = "/ddfs/tag/secret";
    assert.equal(await status(path, {}, "POST", "[]"), 401);
    assert.equal(await status(path, bearer(tokens.read), "POST", "[]"), 403);
    assert.equal(await status(path, { ...bearer(tokens.submit), ...tag }, "POST", '[["raw://a"]]'), 200);
    assert.equal(await status(path, tag), 401);
    assert.equal(await status(path, bearer(tokens.read)), 401);
    assert.equal(await status(path, { ...bearer(tokens.read), ...tag }), 200);
    assert.equal(await status(path, bearer(tokens.submit), "DELETE"), 401);
    assert.equal(await status(path, bearer(tokens.admin)), 200);
    // The master's token is no tag's: a tag that is made with nothing else is open to all who are let in.
    assert.equal(await status("/ddfs/tag/open", shown(tokens.submit), "POST", "[]"), 200);
    assert.equal(await status("/ddfs/tag/open", bearer(tokens.read)), 200);
    const kept = await ask(daemon.url, "/ddfs/tag/open/ddfs:read-token", { headers: bearer(tokens.admin) });
    assert.equal(kept.text, "null");
    assert.equal(await status("/ddfs/new_blob/x", bearer(tokens.read)), 403);
    assert.equal(await status("/ddfs/new_blob/x", bearer(tokens.submit)), 200);
    assert.equal(await status("/ddfs/ctrl/gc_start", bearer(tokens.submit)), 403);
    // Guessing is slow, whichever token is guessed.
    for (let i = 0; i < 10; i++) await status(path, { ...bearer(tokens.read), "disco-tag-token": `guess-${i}` });
    assert.equal(await status(path, { ...bearer(tokens.read), ...tag }), 429);
    assert.equal(await status(path, bearer(tokens.admin)), 200);
  });
});
