/** The page of a real daemon in a real browser: it follows what happens, without a reload. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Disco } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { programPack } from "../wire/pack.test-kit.ts";
import { shellWorker } from "../wire/shell-worker.test-kit.ts";
import { noBrowser, sees, TestBrowser } from "./browser.test-kit.ts";
import { gatedJob, pathOf } from "./gated-job.test-kit.ts";

/** What a browser says itself of a server that is not there. */
const offline = [/Failed to load resource/, /ERR_(?:CONNECTION|INCOMPLETE|EMPTY|NETWORK|SOCKET)/];

const testsMsMax = 240_000;

describe("the page of a daemon", { skip: noBrowser, timeout: testsMsMax }, () => {
  let daemon: TestDaemon;
  let disco: Disco;
  let browser: TestBrowser;
  before(async () => {
    [daemon, browser] = await Promise.all([startDaemon(), TestBrowser.launch()]);
    disco = new Disco(daemon.address);
  });
  afterEach(async () => {
    await browser.closePages();
    // Its tasks would keep the slots.
    for (const { status, name } of await disco.joblist()) if (status === "active") await disco.kill(name);
  });
  after(async () => {
    await disco.close();
    await browser[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });

  it("shows a job from its first task to its results", async () => {
    const { job, path, open } = await gatedJob(disco, daemon.root, 6);
    const { page } = await browser.open(daemon.url + path);
    await page.evaluate("globalThis.sameDocument = true");
    const bar = page.locator("#stages").getByRole("img").first();
    await sees(page, "begun 0");
    assert.match((await bar.getAttribute("aria-label")) ?? "", /^map: 0 of 6 done/);
    await open(3);
    await page.locator('#stages svg[aria-label^="map: 3 of 6 done"]').waitFor();
    await sees(page, "over 2");
    // Of its own accord: the table of tasks asks every two seconds.
    await page.locator("#tasks tr", { hasText: "done on localhost" }).nth(2).waitFor();
    await page
      .locator("#tasks tr", { hasText: /running.*on localhost for/ })
      .first()
      .waitFor();
    await open(6);
    await job.wait();
    await page.locator("#status.status-ready").waitFor();
    await page.locator('#stages svg[aria-label^="map: 6 of 6 done"]').waitFor();
    await sees(page, new RegExp(`/${job.name}/.*reduce.*\\.results$`));
    await sees(page, /Job done in/);
    assert.equal(await page.locator("#kill").isVisible(), false);
    assert.match(await page.title(), /^ready: gated@/);
    assert.equal(await page.evaluate("globalThis.sameDocument"), true);
  });

  it("lists jobs as they come and end, with their stages, and keeps those that the filter names", async () => {
    const { page } = await browser.open(daemon.url);
    await sees(page, /^1 node$/);
    const { job, open } = await gatedJob(disco, daemon.root, 2);
    const row = page.locator("#jobs tr", { hasText: job.name });
    await row.locator(".status-active").waitFor();
    assert.equal(await page.locator("#jobs tr").first().locator("a").textContent(), job.name, "the newest is first");
    await row.locator('svg[aria-label^="map: 0 of 2 done"]').waitFor();
    await open(2);
    await row.locator(".status-ready").waitFor();
    await row.locator('svg[aria-label^="reduce: 1 of 1 done"]').waitFor();
    await page.getByLabel("Status").selectOption("dead");
    await row.waitFor({ state: "detached" });
    await sees(page, "No job is like that.");
    await page.getByLabel("Status").selectOption("");
    await page.keyboard.press("/");
    await page.keyboard.type("gat");
    await row.waitFor();
    assert.match(page.url(), /\?prefix=gat$/);
    await page.keyboard.type("x");
    await row.waitFor({ state: "detached" });
  });

  it("shows events as they are written, and only those of the level that is asked for", async () => {
    const { path, open } = await gatedJob(disco, daemon.root, 2);
    const { page } = await browser.open(daemon.url + path);
    await sees(page, "begun 1");
    await open(1);
    await sees(page, "over 0");
    await page.getByLabel("Level").selectOption("warning");
    await page.locator("#events li", { hasText: "over 0" }).waitFor({ state: "detached" });
    await page.getByLabel("Level").selectOption("debug");
    await sees(page, "over 0");
    await open(2);
    await sees(page, "over 1");
  });

  it("kills a job by its button, after a question that Escape denies", async () => {
    const { job, path } = await gatedJob(disco, daemon.root, 4);
    const { page } = await browser.open(daemon.url + path);
    const kill = page.getByRole("button", { name: "Kill" });
    await kill.click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate("document.activeElement.id"), "kill", "focus is where it was");
    assert.equal((await job.jobinfo()).status, "active");
    await kill.press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Kill" }).click();
    await page.locator("#status.status-dead").waitFor();
    await sees(page, "The job was killed.");
    assert.equal((await job.jobinfo()).status, "dead");
    await page.getByRole("button", { name: "Purge" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Purge" }).click();
    await sees(page, "The job and its files are deleted.");
    await assert.rejects(job.jobinfo(), { code: "unknown-job" });
  });

  it("shows which worker a job brings along, and no records where nobody counts them", async () => {
    const job = await disco.submitPack(programPack({ version: 1, worker: shellWorker, inputs: ["raw://a"] }));
    await job.wait();
    const { page } = await browser.open(`${daemon.url}${pathOf(job.name)}`);
    await sees(page, "bin/worker.sh");
    const cells = page.locator("#stages tr").first().locator("td.number");
    assert.deepEqual(await cells.allTextContents(), ["1", "0", "0", "0", "1", "0", "–", "–", "–"]);
  });

  it("shows why a job failed, with the user's own lines", async () => {
    const job = await disco.newJob("failing", {
      input: ["raw://x"],
      map: (line) => {
        const parts: string[] = line.split(" ");
        return [[(parts[7] as string).toUpperCase(), 1] as const];
      },
    });
    await assert.rejects(job.wait());
    const { page } = await browser.open(daemon.url + pathOf(job.name));
    const failure = page.getByRole("region", { name: "Failure" });
    await failure
      .getByText(/^TypeError: /)
      .first()
      .waitFor();
    await failure.getByText("live.test.ts:").first().waitFor();
    assert.match((await failure.locator("pre").first().textContent()) ?? "", /parts\[7\] as string\)\.toUpperCase/);
  });

  it("says that there is no such job", async () => {
    const { page } = await browser.open(`${daemon.url}/job.html?name=none@1:2:3`, { excused: offline });
    await sees(page, /there is no job none@1:2:3/);
    await page.goto(`${daemon.url}/job.html`);
    await sees(page, /names no job/);
  });

  it("changes slots, blacklist and settings", async () => {
    const { page } = await browser.open(`${daemon.url}/config.html`);
    const slots = page.getByLabel("Slots of localhost");
    await slots.fill("3");
    await slots.press("Enter");
    await sees(page, "localhost has 3 slots now.");
    await page.locator("#cluster", { hasText: "3 slots" }).waitFor();
    assert.equal((await disco.nodeinfo())[0]?.slots, 3);
    await page.getByRole("button", { name: "Blacklist localhost" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Blacklist" }).click();
    await page.getByRole("button", { name: "Whitelist localhost" }).waitFor();
    assert.equal((await disco.nodeinfo())[0]?.blacklisted, true);
    await page.getByRole("button", { name: "Whitelist localhost" }).click();
    await page.getByRole("button", { name: "Blacklist localhost" }).waitFor();
    await page.getByLabel("Accept new jobs").uncheck();
    await page.getByLabel("Failures of one task").fill("7");
    await page.getByRole("button", { name: "Save" }).click();
    await sees(page, "The settings are saved.");
    const saved = (await (await fetch(`${daemon.url}/api/v1/settings`)).json()) as object;
    assert.deepEqual(saved, { maxFailureRate: 7, acceptNewJobs: false });
    await fetch(`${daemon.url}/api/v1/settings`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ maxFailureRate: 100, acceptNewJobs: true }),
    });
    await page.locator("#accept:checked").waitFor();
  });

  it("says that the master is away, dims what it knows, and goes on when the master is back", async () => {
    const { job, path, open } = await gatedJob(disco, daemon.root, 4);
    const excused = [...offline];
    const [{ page }, { page: list }] = await Promise.all([
      browser.open(daemon.url + path, { excused }),
      browser.open(daemon.url, { excused }),
    ]);
    await open(1);
    await sees(page, "over 0");
    await daemon.kill();
    for (const one of [page, list]) {
      await sees(one, /^The master does not answer, trying again\. What is shown is \d+ s old\.$/);
      await one.locator("body.away main").waitFor();
    }
    await sees(page, "over 0");
    await daemon.start();
    for (const one of [page, list]) await one.locator("#away").waitFor({ state: "hidden" });
    await open(4);
    await job.wait();
    await page.locator("#status.status-ready").waitFor();
    await sees(page, /Job done in/);
    // Read on where it broke off, and nothing twice.
    assert.equal(await page.locator("#events li", { hasText: "Job done in" }).count(), 1);
    assert.equal(await page.locator("#events li", { hasText: "over 0" }).count(), 1);
    await list.locator("#jobs tr", { hasText: job.name }).locator(".status-ready").waitFor();
  });

  it("asks nothing and holds no stream while nobody looks", async () => {
    const { path, open } = await gatedJob(disco, daemon.root, 2);
    const { page } = await browser.open(daemon.url + path);
    await sees(page, "begun 0");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.evaluate(
      `Object.defineProperty(document, "hidden", { configurable: true, get: () => globalThis.isHidden });
       globalThis.isHidden = true; document.dispatchEvent(new Event("visibilitychange"))`,
    );
    await open(2);
    // Long enough for every part of the page to have asked.
    await page.waitForTimeout(4_000);
    assert.deepEqual(asked, []);
    assert.equal(await page.locator("#status").textContent(), "active");
    await page.evaluate('globalThis.isHidden = false; document.dispatchEvent(new Event("visibilitychange"))');
    await page.locator("#status.status-ready").waitFor();
    await sees(page, "over 1");
  });

  it("shows out of 3,000 tasks fifty, and the rest page by page", async () => {
    const tasks = 3_000;
    const { job, path } = await gatedJob(disco, daemon.root, tasks);
    const { page } = await browser.open(daemon.url + path);
    await sees(page, "1–50 of 3,000");
    assert.equal(await page.locator("#tasks tr").count(), 50);
    await page.getByRole("button", { name: "Next" }).click();
    await sees(page, "51–100 of 3,000");
    await sees(page, "map:50");
    await page.getByRole("button", { name: "Before" }).click();
    await sees(page, "1–50 of 3,000");
    await page.locator("#task-status").selectOption("running");
    await sees(page, /^1–\d+ of \d+$/);
    assert.equal(await page.locator("#tasks .status-waiting").count(), 0);
    await job.kill();
    await page.locator("#status.status-dead").waitFor();
  });
});
