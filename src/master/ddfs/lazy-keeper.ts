/** Saves results of jobs (`ddfs/save/result-keeper.ts`); loaded with the first job that has some to save. */
import type { Bus } from "../../bus/bus.ts";
import type { SaveResults } from "../../core/commands.ts";
import type { Ddfs } from "../../ddfs/ddfs.ts";
import type { ResultKeeper } from "../../ddfs/save/result-keeper.ts";
import type { Coordinator } from "../coordinator.ts";
import type { ReadIndex } from "../index-reader.ts";

export interface LazyKeeperParts {
  /** Asked for when there is something to save: the master is composed by then. */
  readonly coordinator: () => Coordinator;
  readonly ddfs: () => Promise<Ddfs>;
  readonly bus: Bus;
  readonly readIndex: ReadIndex;
  /** The node that has the files of a node, should that one have another name by now. */
  readonly holderOf?: (host: string) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class LazyKeeper {
  readonly #parts: LazyKeeperParts;
  #keeper: Promise<ResultKeeper> | null = null;
  #closed = false;

  constructor(parts: LazyKeeperParts) {
    this.#parts = parts;
  }

  /** Returns at once; the job hears of the end. */
  save(command: SaveResults): void {
    if (this.#closed) return;
    this.#keeper ??= this.#load();
    void this.#keeper.then((keeper) => keeper.keep(command));
  }

  /** `null`: there was never anything to save. */
  close(): Promise<void> | null {
    this.#closed = true;
    return this.#keeper?.then((keeper) => keeper.close()) ?? null;
  }

  async #load(): Promise<ResultKeeper> {
    const [{ ResultKeeper }, { NodeCalls }] = await Promise.all([
      import("../../ddfs/save/result-keeper.ts"),
      import("../../ddfs/gc/node-calls.ts"),
    ]);
    const { coordinator, ddfs, bus, readIndex, holderOf, now } = this.#parts;
    const decider = coordinator();
    const calls = new NodeCalls({ bus, epoch: () => decider.machine.cluster.epoch });
    return new ResultKeeper({ decider, ddfs, calls, readIndex, now, ...(holderOf === undefined ? {} : { holderOf }) });
  }
}
