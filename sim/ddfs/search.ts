/**
 * Searches all that can happen in a scenario, depth first. A state is remembered by 53 bits of a hash of its text: of a million states
 * two are taken for one with a probability of about 1 in 20,000.
 *
 * By hand: node sim/ddfs/search.ts, and with `--all` those that take minutes.
 */
import { type Bug, begin, blobs, holders, hosts, mentions, type Scenario, type State, tickMs } from "./model.ts";
import { longScenarios, scenarios } from "./scenarios.ts";
import { type Step, stepsOf } from "./steps.ts";

export interface Found {
  readonly states: number;
  readonly steps: number;
  /** All of them were searched. */
  readonly isWhole: boolean;
  /** What must never happen, and how it came to it. */
  readonly failure: { readonly error: Error; readonly story: readonly string[] } | null;
}

interface Frame {
  readonly name: string;
  readonly state: State;
  readonly steps: Generator<Step>;
}

/** One state in so many is played to its end, besides those after which nothing can happen. */
const playedOf = 64;

export function search(scenario: Scenario, bug: Bug | null = null, statesMax = Number.POSITIVE_INFINITY): Found {
  const seen = new Set<number>();
  const first = begin();
  const stack: Frame[] = [{ name: "begin", state: first, steps: stepsOf(first, scenario, bug) }];
  seen.add(hashOf(first));
  let steps = 0;
  try {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.steps.next();
      if (next.done === true) {
        stack.pop();
        continue;
      }
      steps++;
      const [name, state] = next.value;
      const hash = hashOf(state);
      if (seen.has(hash)) continue;
      seen.add(hash);
      stack.push({ name, state, steps: stepsOf(state, scenario, bug) });
      if (bug === null && hash % playedOf === 0) playToEnd(state, scenario);
      if (seen.size >= statesMax) return { states: seen.size, steps, isWhole: false, failure: null };
    }
  } catch (error) {
    const story = stack.map(({ name }) => name);
    return { states: seen.size, steps, isWhole: false, failure: { error: error as Error, story } };
  }
  return { states: seen.size, steps, isWhole: true, failure: null };
}

/**
 * Everybody is back, days pass, collections run undisturbed: what no tag names is gone in the end, what tags name is there often enough.
 * @throws Error when it is not
 */
export function playToEnd(from: State, scenario: Scenario): void {
  const calm: Scenario = {
    ...scenario,
    puts: [],
    links: [],
    deletes: [],
    downs: [],
    losses: [],
    leaving: [],
    takeovers: 0,
  };
  let state: State = {
    ...from,
    up: hosts.map((_, host) => !from.removed.includes(host)),
    flight: [],
    run: null,
    runs: 0,
  };
  const rounds = 5;
  for (let i = 0; i < rounds; i++) {
    state = { ...state, now: state.now + tickMs, runs: 0 };
    const allowed = { ...calm, runs: 1, ticks: 0 };
    for (;;) {
      // Messages before the end of the run: an undisturbed run waits for its answers.
      const steps = [...stepsOf(state, allowed, null)];
      const chosen = state.flight.length > 0 && state.run?.step === "end" ? steps.at(-1) : steps[0];
      if (chosen === undefined) break;
      [, state] = chosen;
    }
  }
  const named = mentions(state.tags);
  const staying = hosts.filter((_, host) => !state.leaving.includes(host) && !state.removed.includes(host)).length;
  for (const [blob] of blobs.entries()) {
    const urls = named.get(blob);
    const there = holders(state, blob);
    if (urls === undefined) {
      if (there.length > 0) throw new Error(`${blob} is never deleted, and no tag names it`);
      continue;
    }
    const wanted = Math.min(scenario.replicas, staying);
    const counted = there.filter((host) => !state.leaving.includes(host)).length;
    if (there.length > 0 && counted < wanted) throw new Error(`${blob} has ${counted} replicas in the end`);
  }
}

/** Of parts of states, most of which are shared by many. */
const hashes = new WeakMap<object, number>();

function hashOf(state: State): number {
  const { now, losses, takeovers, epoch, runs, tags, run, did } = state;
  const { up, removed, files, fences, pushed, leaving, safe, flight, excused } = state;
  const parts = [
    hashOfPart(tags, () => JSON.stringify(tags.save())),
    hashOfPart(did, () => [...did].sort().join()),
    run === null ? 0 : hashOfPart(run, () => JSON.stringify([run, run.plan === null ? 0 : [...run.plan.needed]])),
    ...[up, removed, files, fences, pushed, leaving, safe, flight, excused].map((part) =>
      hashOfPart(part, () => JSON.stringify(part)),
    ),
  ];
  return hashText(`${now},${losses},${takeovers},${epoch},${runs},${parts.join()}`);
}

function hashOfPart(part: object, text: () => string): number {
  let hash = hashes.get(part);
  if (hash === undefined) {
    hash = hashText(text());
    hashes.set(part, hash);
  }
  return hash;
}

/** Two sums of 32 bits each with multipliers of their own (FNV, and one of MurmurHash), 53 bits of both. */
function hashText(text: string): number {
  let one = 0x811c9dc5;
  let two = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x5bd1e995);
    two ^= two >>> 15;
  }
  const bits = 21;
  return (one >>> 0) * 2 ** bits + (two >>> (32 - bits));
}

if (import.meta.main) {
  const all = process.argv.includes("--all") ? { ...scenarios, ...longScenarios } : scenarios;
  for (const [name, scenario] of Object.entries(all)) {
    const began = performance.now();
    const { states, steps, failure } = search(scenario);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    console.log(`${name}: ${states} states, ${steps} steps, ${seconds} s`);
    if (failure === null) continue;
    console.log(failure.error.message, "\n", failure.story.join("\n "));
    process.exitCode = 1;
  }
}
