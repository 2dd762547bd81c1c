/**
 * A master or a node of a cluster on one machine. One that was ready and ends is started again, a few times: a master that is deposed ends
 * on purpose, and a node may be killed by somebody who tries what happens then. One that never was ready has wrong settings.
 */
import { DiscoError } from "../../errors.ts";
import { nodeFlags, ownScript } from "../daemon/background.ts";
import { masterFlags } from "../daemon/master-flags.ts";
import { exitCodes } from "../exit-codes.ts";
import { Child } from "./child.ts";
import { logLineOf } from "./up-lines.ts";

const restartsMax = 3;
const lineOfReady = { master: "serving", node: "joined" } as const;

export interface MemberParts {
  readonly name: string;
  readonly role: "master" | "node";
  readonly env: NodeJS.ProcessEnv;
  readonly line: (text: string) => void;
  /** What became of it, for people. */
  readonly notice: (text: string) => void;
  /** It cannot go on. */
  readonly failed: (error: DiscoError) => void;
}

export class Member {
  readonly #parts: MemberParts;
  #env: NodeJS.ProcessEnv;
  #child: Child | null = null;
  #restarts = 0;
  #stopping = false;
  /** Base URL of its server, once it is ready. */
  url = "";

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.#env = parts.env;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it is ready: a master serves, a node has joined. @throws DiscoError `start-failed`; `bad-setting` */
  async start(): Promise<void> {
    if (this.#stopping) return;
    const { name, role, line } = this.#parts;
    const flags = role === "master" ? [...nodeFlags(), ...masterFlags] : nodeFlags();
    const child = new Child({
      name,
      command: process.execPath,
      args: [...flags, ownScript, role],
      env: this.#env,
      line,
    });
    this.#child = child;
    const ready = child.said((text) => {
      const told = logLineOf(text);
      if (told?.msg === "serving") this.url = told.url ?? "";
      return told?.msg === lineOfReady[role] ? true : null;
    });
    await ready.catch((error: DiscoError) => {
      if (child.status !== exitCodes.usage) throw error;
      const { message, hint } = error;
      throw new DiscoError(message, { code: "bad-setting", cause: error, ...(hint === undefined ? {} : { hint }) });
    });
    // Started again it is where others know it.
    this.#env = { ...this.#env, DISCO_PORT: new URL(this.url).port };
    void child.ended.then((how) => this.#ended(how));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#child?.stop();
  }

  kill(): void {
    this.#stopping = true;
    this.#child?.kill();
  }

  async #ended(how: string): Promise<void> {
    const { name, notice, failed } = this.#parts;
    if (this.#stopping) return;
    this.#restarts += 1;
    if (this.#restarts > restartsMax) {
      failed(
        new DiscoError(`${name} ${how}, as it did ${restartsMax} times before`, {
          code: "start-failed",
          hint: "Its lines say why.",
        }),
      );
      return;
    }
    notice(`${name} ${how}; it is started again (${this.#restarts} of ${restartsMax} times)`);
    try {
      await this.start();
    } catch (error) {
      if (!this.#stopping) failed(error as DiscoError);
    }
  }
}
