/**
 * Saves results of jobs as the shell does (`src/ddfs/save/result-keeper.ts`), with what can go wrong on the way: files that are gone, nodes
 * that do not answer, a try that fails for other reasons, a master that dies between any two steps, or when the tag is in the journal and
 * the end of the job is not.
 */
import type { SaveResults } from "../src/core/commands.ts";
import type { JobMachine } from "../src/core/job/machine.ts";
import { resultsTag } from "../src/core/job/saved-tags.ts";
import type { OutputRef } from "../src/core/job/spec.ts";
import type { Ledger } from "../src/journal/ledger.ts";
import { digestOf } from "./fake-job.ts";
import type { World } from "./world.ts";

interface Adopted {
  readonly lines: string[];
  readonly lost: { readonly stage: number; readonly task: number; readonly ref: OutputRef }[];
  silent: boolean;
}

/** What a saved output is called: by what is in it. */
export function lineOf(task: number, digest: string): string {
  return `sim://${task}/${digest}`;
}

export class SavedResults {
  readonly #world: World;
  /** Begun by the present master. */
  readonly #begun = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** What another master had begun goes on with nobody. */
  restarted(): void {
    this.#begun.clear();
  }

  begin({ job, attempt }: SaveResults): void {
    const key = `${job}/${attempt}`;
    const { ledger, agenda, random } = this.#world;
    const machine = ledger?.machine.jobs.get(job);
    if (ledger === null || machine === undefined || this.#begun.has(key)) return;
    this.#begun.add(key);
    const last = machine.stages.at(-1);
    const adopted: Adopted = { lines: [], lost: [], silent: false };
    let left = last?.tasks ?? 0;
    const oneLess = (): void => {
      left--;
      if (left <= 0) agenda.after(random.int(0, 5), () => this.#end(ledger, job, attempt, adopted));
    };
    if (last === undefined || left === 0) oneLess();
    else {
      for (const [place, task] of [...last.inOrder()].entries()) {
        const ref = last.outputs.ref(task);
        agenda.after(random.chance(0.2) ? random.int(100, 800) : random.int(0, 60), () => {
          this.#adopt(last.number, task, ref, adopted, place);
          oneLess();
        });
      }
    }
  }

  #adopt(stage: number, task: number, ref: OutputRef, adopted: Adopted, place: number): void {
    const node = this.#world.nodes.get(ref.host);
    if (node?.reachable !== true) {
      adopted.silent = true;
      return;
    }
    const contents = node.read(ref);
    if (contents === undefined) adopted.lost.push({ stage, task, ref });
    else adopted.lines[place] = lineOf(task, digestOf(contents));
  }

  #end(ledger: Ledger, job: string, attempt: number, { lines, lost, silent }: Adopted): void {
    const world = this.#world;
    const machine = ledger.machine.jobs.get(job);
    if (world.ledger !== ledger || machine === undefined || !isCurrent(machine, attempt)) return;
    const at = world.agenda.now;
    if (silent || lost.length > 0 || world.chance(0.05)) {
      const reason = lost.length > 0 ? "a file is gone" : silent ? "a node is silent" : "no room";
      world.record({ kind: "results-not-saved", at, job, attempt, reason, lost: silent ? [] : lost });
      return;
    }
    const tag = resultsTag(job);
    const change = { kind: "put", urls: lines.join("\n") } as const;
    world.record({ kind: "tag-changed", at, tag, id: `${tag}$00-0-${attempt.toString(16)}`, change });
    // Two records may be two appends.
    if (world.chance(0.2)) {
      if (world.random.chance(0.5)) ledger.flush();
      world.masterDies();
    } else world.record({ kind: "results-saved", at, job, attempt, results: [`tag://${tag}`] });
  }
}

function isCurrent({ saving }: JobMachine, attempt: number): boolean {
  return saving?.attempt === attempt && saving.wakeAt === 0;
}
