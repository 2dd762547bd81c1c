/**
 * Stage manifests on a node: which outputs a stage has, written to a file for the workers. Asked of the master once for
 * each (job, stage, version): a version never changes.
 */
import { join } from "node:path";
import { fromJsonBytes } from "../bus/json.ts";
import type { MasterFiles } from "./fetch/master-files.ts";
import { type JobHome, writeWhole } from "./job-home.ts";
import { type OobFiles, writeOobList } from "./oob-list.ts";

export class Manifests {
  readonly #master: MasterFiles;
  readonly #files = new Map<string, Map<string, Promise<string>>>();

  constructor(master: MasterFiles) {
    this.#master = master;
  }

  /** Absolute path of the manifest's file. */
  file(home: JobHome, stage: number, version: number): Promise<string> {
    let files = this.#files.get(home.job);
    if (files === undefined) this.#files.set(home.job, (files = new Map()));
    const key = `${stage}-${version}`;
    const known = files.get(key);
    if (known !== undefined) return known;
    const made = this.#make(home, stage, version);
    files.set(key, made);
    // A failure is not an answer: the next task asks again.
    made.catch(() => files.delete(key));
    return made;
  }

  /** Resolves when no manifest of the job is being written: its directory may be deleted then. */
  async forget(job: string): Promise<void> {
    const files = this.#files.get(job);
    this.#files.delete(job);
    if (files !== undefined) await Promise.allSettled([...files.values()]);
  }

  async #make(home: JobHome, stage: number, version: number): Promise<string> {
    const question = { job: home.job, stage, version };
    const file = join(home.systemDir, `manifest-${stage}-${version}.json`);
    const [manifest, oob] = await Promise.all([
      this.#master.answer("manifest", question, `${file}.answer`),
      this.#master.answer("oob", question, `${file}.oob`),
    ]);
    // What the stage put out-of-band is there for the tasks that read its outputs.
    await writeOobList(home, fromJsonBytes<OobFiles>(oob));
    await writeWhole(file, manifest);
    return file;
  }
}
