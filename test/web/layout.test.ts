/** The page for everybody: on small screens, in the dark, by keyboard, and for those who hear it. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Disco } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { noBrowser, sees, TestBrowser } from "./browser.test-kit.ts";
import { pathOf } from "./gated-job.test-kit.ts";

const testsMsMax = 120_000;
const narrowest = { width: 360, height: 640 };

describe("the page", { skip: noBrowser, timeout: testsMsMax }, () => {
  let daemon: TestDaemon;
  let disco: Disco;
  let browser: TestBrowser;
  let paths: readonly string[] = [];
  before(async () => {
    [daemon, browser] = await Promise.all([startDaemon(), TestBrowser.launch()]);
    disco = new Disco(daemon.address);
    const long = "a_name_that_somebody_made_as_long_as_names_can_be_".repeat(2);
    const job = await disco.newJob(long, {
      input: ["raw://x"],
      map: (line): [string, number][] => {
        console.log("a_message_without_any_space_".repeat(20));
        throw new Error(`${line} ${"fails_without_any_space_".repeat(20)}`);
      },
    });
    await assert.rejects(job.wait());
    paths = ["/", pathOf(job.name), "/config.html"];
  });
  after(async () => {
    await disco.close();
    await browser[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });
  afterEach(() => browser.closePages());

  it("is never wider than a screen of 360 pixels", async () => {
    for (const path of paths) {
      const { page } = await browser.open(daemon.url + path, { viewport: narrowest });
      await sees(page, /^1 node$/);
      if (path.startsWith("/job")) await sees(page, /a_message_without/);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), narrowest.width, path);
    }
  });

  it("is light or dark, as the reader has it, with text that can be read", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await browser.open(daemon.url, { colorScheme });
      const [back, ...texts] = (await page.evaluate(
        `["body", "body", "a", ".dim"].map((which, i) =>
          getComputedStyle(document.querySelector(which))[i === 0 ? "backgroundColor" : "color"])`,
      )) as string[];
      assert.equal(luminance(back ?? "") > 0.5, colorScheme === "light");
      // WCAG's level AA for text.
      for (const text of texts) assert.ok(contrast(back ?? "", text) >= 4.5, `${colorScheme}: ${text} on ${back}`);
    }
  });

  it("names every control, and has one heading of the first level, a main part and tables with headers", async () => {
    for (const path of paths) {
      const { page } = await browser.open(daemon.url + path);
      await sees(page, /^1 node$/);
      for (const role of [
        "button",
        "textbox",
        "searchbox",
        "combobox",
        "spinbutton",
        "checkbox",
        "link",
        "img",
      ] as const) {
        const [all, named] = [page.getByRole(role), page.getByRole(role, { name: /\S/ })];
        assert.equal(await named.count(), await all.count(), `${path}: ${role}`);
      }
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
      assert.equal(await page.getByRole("main").count(), 1);
      for (const table of await page.getByRole("table").all()) {
        assert.ok((await table.getByRole("columnheader").count()) > 3);
      }
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
    }
  });

  it("is reached by keyboard in the order of the page, and shows where the reader is", async () => {
    const { page } = await browser.open(daemon.url);
    await page.locator("#jobs a").waitFor();
    const seen: string[] = [];
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press("Tab");
      const [what, outline] = (await page.evaluate(
        `[document.activeElement.id || document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]`,
      )) as [string, string];
      seen.push(what);
      assert.equal(outline, "solid", what);
    }
    assert.deepEqual(seen.slice(0, 5), ["Skip to content", "Disco", "Nodes and settings", "prefix", "status"]);
    assert.match(seen[5] ?? "", /^a_name_that/);
    await page.keyboard.press("Enter");
    await page.locator("#status.status-dead").waitFor();
  });
});

/** Relative luminance of `rgb(…)`, as WCAG has it. */
function luminance(color: string): number {
  const parts = (color.match(/\d+/g) ?? []).slice(0, 3).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
