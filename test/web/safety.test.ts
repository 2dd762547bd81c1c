/** What the page does with what strangers write, and what other pages can do with a daemon: nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { Disco } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { noBrowser, sees, TestBrowser } from "./browser.test-kit.ts";
import { gatedJob, pathOf } from "./gated-job.test-kit.ts";

const testsMsMax = 120_000;
/** Each would open a dialog, which fails the test, if it were ever taken for markup. */
const attacks = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(2)</script>",
  "javascript:alert(3)",
  '"><svg onload=alert(4)>',
];

describe("the page, with what strangers write", { skip: noBrowser, timeout: testsMsMax }, () => {
  let daemon: TestDaemon;
  let disco: Disco;
  let browser: TestBrowser;
  before(async () => {
    [daemon, browser] = await Promise.all([startDaemon(), TestBrowser.launch()]);
    disco = new Disco(daemon.address);
  });
  after(async () => {
    await disco.close();
    await browser[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });
  // Here all faults of all pages are counted: console, errors, violations of the policy, dialogs.
  afterEach(() => browser.closePages());

  it("shows messages, errors, stacks and inputs as the text that they are", async () => {
    const job = await disco.newJob("hostile", {
      input: attacks.map((attack) => `raw://${attack}`),
      params: { attacks },
      map: (line, params) => {
        // All of them in each task: the job may be dead before the second has begun.
        for (const attack of params.attacks) console.log(`says ${attack}`);
        const error = new Error(`fails with ${line}`);
        error.name = line;
        throw error;
      },
    });
    await assert.rejects(job.wait());
    const { page } = await browser.open(daemon.url + pathOf(job.name));
    for (const attack of attacks.slice(0, 2)) await sees(page, `says ${attack}`);
    await page.locator("#failure", { hasText: "fails with" }).waitFor();
    assert.match((await page.locator("#failure").textContent()) ?? "", /fails with (?:<img|<script|javascript:|">)/);
    assert.equal(await page.locator("main img, main script, main iframe, main a[href^=javascript]").count(), 0);
    await page.goto(daemon.url);
    await sees(page, job.name);
  });

  it("shows what its own address says as text", async () => {
    for (const attack of attacks) {
      const excused = [/Failed to load resource/];
      const { page } = await browser.open(daemon.url + pathOf(attack), { excused });
      assert.equal(await page.locator("#name").textContent(), attack);
      await page.locator("#missing").waitFor();
      assert.equal(await page.locator("main img, main script, main svg").count(), 0);
      await page.goto(`${daemon.url}/?prefix=${encodeURIComponent(attack)}&status=${encodeURIComponent(attack)}`);
      await sees(page, "No job is like that.");
      assert.equal(await page.locator("#prefix").inputValue(), attack);
    }
  });

  it("runs no script that would be in it: the policy refuses it", async () => {
    const excused = [/Content Security Policy|policy: (?:script|img)-src/];
    const { page } = await browser.open(daemon.url, { excused });
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement("script"), { textContent: "globalThis.broken = 1" }));
       document.body.insertAdjacentHTML("beforeend", "<img src=data:, onerror='globalThis.broken = 2'>")`,
    );
    await sees(page, /^1 node$/);
    assert.equal(await page.evaluate("globalThis.broken"), undefined);
  });

  it("cannot be used by another page to kill a job, nor to read anything, nor be framed", async () => {
    const { job, open } = await gatedJob(disco, daemon.root, 1);
    const path = `/api/v1/jobs/${encodeURIComponent(job.name)}/kill`;
    const other = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>other</title><iframe name=inner></iframe>");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as AddressInfo;
      // The browser says on the console what it has refused.
      const { page } = await browser.open(`http://127.0.0.1:${port}/`, { excused: [/./] });
      const tries = `(async () => {
        const outcomes = [];
        for (const init of [{ method: "POST" }, { method: "POST", mode: "no-cors" }, { mode: "cors" }, { method: "PATCH", body: "{}" }]) {
          const url = ${JSON.stringify(daemon.url)} + (init.method === "POST" ? ${JSON.stringify(path)} : "/api/v1/settings");
          outcomes.push(await fetch(url, init).then(({ type, status }) => type + " " + status, () => "refused"));
        }
        const form = document.createElement("form");
        Object.assign(form, { method: "POST", target: "inner", action: ${JSON.stringify(daemon.url + path)} });
        document.body.append(form);
        form.submit();
        return outcomes;
      })()`;
      const formAnswered = page.waitForResponse((response) => response.request().isNavigationRequest());
      assert.deepEqual(await page.evaluate(tries), Array(4).fill("refused"));
      assert.equal((await formAnswered).status(), 403);
      // Waited for before it is asked for: it may be there before the asking has returned.
      const frameAnswered = page.waitForResponse((response) => response.url() === `${daemon.url}/`);
      await page.evaluate(`document.querySelector("iframe").src = ${JSON.stringify(`${daemon.url}/`)}`);
      await frameAnswered;
      const framed = page.frames().find((frame) => frame !== page.mainFrame());
      assert.equal(await framed?.locator("#cluster").count(), 0);
      assert.equal((await job.jobinfo()).status, "active");
      await open(1);
      await job.wait();
    } finally {
      other.close();
      other.closeAllConnections();
    }
  });
});

describe("the page of a daemon with tokens", { skip: noBrowser, timeout: testsMsMax }, () => {
  const admin = "an-admin-token-of-the-test";
  const read = "a-read-token-of-the-test";
  let daemon: TestDaemon;
  let browser: TestBrowser;
  before(async () => {
    const env = { DISCO_TOKEN: admin, DISCO_READ_TOKEN: read };
    [daemon, browser] = await Promise.all([startDaemon({ env }), TestBrowser.launch()]);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });
  // Here all faults of all pages are counted: console, errors, violations of the policy, dialogs.
  afterEach(() => browser.closePages());
  const excused = [/Failed to load resource.*40[13]/];

  it("asks for one, again when it is wrong, and keeps it for the tab and out of addresses", async () => {
    const { page } = await browser.open(daemon.url, { excused });
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    const dialog = page.getByRole("dialog");
    await dialog.getByText("This daemon asks for a token").waitFor();
    await page.keyboard.press("Escape");
    await dialog.getByLabel("Token").first().fill("wrong");
    await page.keyboard.press("Enter");
    await dialog.getByText("the token is wrong").waitFor();
    await dialog.locator("input").fill(admin);
    await page.keyboard.press("Enter");
    await sees(page, /^1 node$/);
    assert.equal(await dialog.count(), 0);
    await page.goto(`${daemon.url}/config.html`);
    await page.getByLabel("Slots of localhost").waitFor();
    await page.getByLabel("Accept new jobs").check();
    assert.deepEqual(await page.evaluate("[Object.values(sessionStorage), localStorage.length, document.cookie]"), [
      [admin],
      0,
      "",
    ]);
    assert.ok(urls.length > 5);
    assert.deepEqual(
      urls.filter((url) => url.includes(admin) || url.includes("wrong")),
      [],
    );
    assert.doesNotMatch(daemon.output, /an-admin-token/);
  });

  it("says what a token that may only look does not allow", async () => {
    const { page } = await browser.open(`${daemon.url}/config.html`, { excused });
    await page.getByRole("dialog").locator("input").fill(read);
    await page.keyboard.press("Enter");
    // What was refused before there was a token has been asked for again.
    await page.getByLabel("Slots of localhost").waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await sees(page, /Cannot save the settings: this needs a token with the scope admin/);
  });
});
