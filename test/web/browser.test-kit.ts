/**
 * A real browser for tests of the page: a Chromium of this machine, found by PATH. Every page is watched: a script error, a message on the
 * console, a violation of the page's policy, or a dialog (what `alert` of an injected script would open) fails the test.
 */
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** How long a change may take to be seen. The page hears of most within half a second, and asks for the rest every two or three. */
export const patienceMs = 15_000;

const executable = find();
/** Why there is no browser here, for `skip`; `false`: there is one. */
export const noBrowser: string | false = executable === null ? `no ${names.join(", ")} in PATH` : false;

export interface WatchedPage {
  readonly page: Page;
  /** What has gone wrong so far. */
  readonly faults: string[];
  /** Messages of the browser itself that a fault on purpose brings about, e.g. a connection that was refused. */
  readonly excused: RegExp[];
}

export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  #watched: WatchedPage[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<TestBrowser> {
    assert.ok(executable !== null);
    // Chromium's sandbox refuses to run as root.
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    return new TestBrowser(await chromium.launch({ executablePath: executable, args }));
  }

  /** A page of its own: nothing is shared with other pages. */
  async open(url: string, options: BrowserContextOptions & { excused?: RegExp[] } = {}): Promise<WatchedPage> {
    const { excused = [], ...rest } = options;
    const context = await this.#browser.newContext(rest);
    context.setDefaultTimeout(patienceMs);
    const page = await context.newPage();
    const faults: string[] = [];
    const watched = { page, faults, excused };
    const fault = (text: string): void => {
      if (!excused.some((pattern) => pattern.test(text))) faults.push(text);
    };
    page.on("console", (message) => fault(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => fault(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      fault(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.exposeFunction("policyViolated", (what: string) => fault(`policy: ${what}`));
    await page.addInitScript({ content: watchPolicy });
    this.#watched.push(watched);
    await page.goto(url);
    return watched;
  }

  /** Closes all pages. Fails when something has gone wrong on one of them. */
  async closePages(): Promise<void> {
    const watched = this.#watched;
    this.#watched = [];
    for (const { page } of watched) await page.context().close();
    for (const { faults } of watched) assert.deepEqual(faults, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** In the page: its own tests have no types of a browser. */
const watchPolicy = `document.addEventListener("securitypolicyviolation", (event) =>
  policyViolated(event.violatedDirective + " " + event.blockedURI))`;

/** Waits until the text is on the page, in an element that is shown. */
export async function sees(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).filter({ visible: true }).first().waitFor();
}

function find(): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next one.
      }
    }
  }
  return null;
}
