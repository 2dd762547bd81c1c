/** All that may happen next in a state of the model, and what must never follow. */
import type { DdfsEvent } from "../../src/core/ddfs/events.ts";
import {
  address,
  type Bug,
  blobs,
  changed,
  graceMs,
  holders,
  hostOf,
  hosts,
  indexOf,
  linked,
  type Message,
  mentions,
  planOf,
  type Run,
  type Scenario,
  type State,
  tickMs,
} from "./model.ts";

export type Step = readonly [name: string, next: State];

/** @throws Error when what follows must never happen */
export function* stepsOf(state: State, scenario: Scenario, bug: Bug | null): Generator<Step> {
  yield* clientSteps(state, scenario, bug);
  yield* accidents(state, scenario);
  if (state.takeovers < scenario.takeovers) yield ["another master takes over", takeOver(state)];
  yield* runSteps(state, scenario, bug);
  for (const message of state.flight) yield* delivery(state, message, scenario, bug);
}

function* clientSteps(state: State, { puts, links, deletes }: Scenario, bug: Bug | null): Generator<Step> {
  const { did, run } = state;
  for (const [blob, host] of puts) {
    const name = `put ${blob} on ${host}`;
    // Nobody is sent to a node that is to be removed.
    if (did.includes(name) || state.up[host] !== true || state.leaving.includes(host)) continue;
    const pushed = state.pushed[blob] === -1 ? put(state.pushed, blob, state.now) : state.pushed;
    yield [name, { ...state, did: [...did, name], pushed, files: stored(state.files, host, blob, state.now) }];
  }
  for (const { tag, blob, on } of links) {
    const name = `${tag} names ${blob}`;
    // The client knows that all were stored.
    if (did.includes(name) || !on.every((host) => did.includes(`put ${blob} on ${host}`))) continue;
    const urls = on.map((host) => address(host, blob)).join("\t");
    const isCondemned = state.tags.isCondemned(blobs[blob] ?? "");
    const tags =
      isCondemned && bug === "tags may name condemned blobs"
        ? linkedAnyway(state, tag, urls)
        : linked(state.tags, tag, urls);
    // Refused: the client has to push again.
    if (tags === null) {
      if ((state.pushed[blob] ?? -1) >= state.now - graceMs)
        throw new Error(`${tag} may not name ${blob}, which was pushed a moment ago`);
      yield [`${name}, refused`, { ...state, did: [...did, name] }];
      continue;
    }
    const watched = run === null ? null : { ...run, watch: add(run.watch, blob) };
    const next = { ...state, did: [...did, name], tags, run: watched };
    // Condemned, deleted everywhere, and forgotten by two collections: whoever tags it then was gone for days.
    const isForgotten = did.includes(`forgot ${blob}`);
    if (holders(next, blob).length === 0 && !isForgotten && !state.excused.includes(blob))
      throw new Error(`${tag} names ${blob}, which was deleted`);
    yield [name, isForgotten ? { ...next, excused: add(next.excused, blob) } : next];
  }
  for (const tag of deletes) {
    const name = `delete ${tag}`;
    if (did.includes(name) || state.tags.tag(tag) === undefined) continue;
    const tags = changed(state.tags, (copy) => copy.handle({ kind: "tag-deleted", at: 0, tag }));
    yield [name, { ...state, did: [...did, name], tags }];
  }
}

function* accidents(state: State, scenario: Scenario): Generator<Step> {
  const { did, now, up, leaving, removed } = state;
  if (now < scenario.ticks * tickMs) yield ["time passes", { ...state, now: now + tickMs }];
  for (const host of scenario.downs) {
    const down = `${host} goes down`;
    const back = `${host} comes back`;
    if (!did.includes(down)) yield [down, { ...state, did: [...did, down], up: put(up, host, false) }];
    else if (!did.includes(back)) yield [back, { ...state, did: [...did, back], up: put(up, host, true) }];
  }
  for (const host of scenario.losses) {
    const name = `${host} loses its disk`;
    if (!did.includes(name))
      yield [name, { ...withoutDisk(state, host), did: [...did, name], losses: state.losses + 1 }];
  }
  for (const host of scenario.leaving) {
    if (!leaving.includes(host)) yield [`${host} is to be removed`, { ...state, leaving: [...leaving, host] }];
    else if (state.safe.includes(host) && !removed.includes(host) && !isMentioned(state, host)) {
      // What is missed then was missed before, or by our fault.
      const next = {
        ...withoutDisk(state, host),
        excused: state.losses >= scenario.replicas ? withoutDisk(state, host).excused : state.excused,
        removed: [...removed, host],
        up: put(up, host, false),
      };
      for (const [blob] of mentions(next.tags)) {
        if (holders(next, blob).length > 0 || holders(state, blob).length === 0) continue;
        if (next.losses >= scenario.replicas) continue;
        throw new Error(`${host} was said to be safe to remove, and was the last to have ${blob}`);
      }
      yield [`${host} is removed`, next];
    }
  }
}

/** As `safe_gc_blacklist` looks again when it is asked. */
function isMentioned({ tags }: State, host: number): boolean {
  return [...mentions(tags).values()].some((urls) => urls.some((url) => hostOf(url) === host));
}

function withoutDisk(state: State, host: number): State {
  const files = put(
    state.files,
    host,
    blobs.map(() => -1),
  );
  const next = { ...state, files, fences: put(state.fences, host, [0, 0] as const) };
  const gone = blobs.flatMap((_, blob) =>
    holders(state, blob).length > 0 && holders(next, blob).length === 0 ? [blob] : [],
  );
  return { ...next, excused: [...new Set([...state.excused, ...gone])].sort((a, b) => a - b) };
}

/** What the old one has sent is still under way; so is what it was about to send. */
function takeOver(state: State): State {
  const { run } = state;
  const late = run?.step === "send" ? messagesOf(state, run) : [];
  return {
    ...state,
    takeovers: state.takeovers + 1,
    epoch: state.epoch + 1,
    run: null,
    flight: flying([...state.flight, ...late]),
  };
}

function* runSteps(state: State, scenario: Scenario, bug: Bug | null): Generator<Step> {
  const { run, tags } = state;
  if (run === null) {
    if (state.runs >= scenario.runs) return;
    const gc = tags.gc + 1;
    const begun: Run = {
      gc,
      step: bug === "lists before it reads tags" ? "list" : "scan",
      done: 0,
      named: [],
      watch: [],
      listings: [],
      before: [...tags.condemned()].map(indexOf).sort((a, b) => a - b),
      leaving: state.leaving,
      losses: state.losses,
      plan: null,
      condemned: [],
    };
    yield [
      "collection begins",
      { ...state, run: begun, runs: state.runs + 1, tags: told(state, { kind: "gc-started", at: 0, gc }) },
    ];
    return;
  }
  const { step, done } = run;
  if (step === "scan") {
    const tag = tags.tag(["t", "u"][done] ?? "");
    const named = [...(tag?.urls.lines() ?? [])].flatMap((line) => line.split("\t"));
    const isLast = done === 1;
    const next = isLast ? (bug === "lists before it reads tags" ? "record" : "list") : "scan";
    const all = [...new Set([...run.named, ...named])].sort();
    yield ["reads a tag", { ...state, run: { ...run, named: all, done: isLast ? 0 : done + 1, step: next } }];
  } else if (step === "list") {
    const isUp = state.up[done] === true && (state.fences[done]?.[0] ?? 0) <= state.epoch;
    const gc = bug === "listing raises no fence" ? (state.fences[done]?.[1] ?? 0) : run.gc;
    const fences = isUp ? put(state.fences, done, [state.epoch, gc] as const) : state.fences;
    const isLast = done === hosts.length - 1;
    const next = isLast ? (bug === "lists before it reads tags" ? "scan" : "record") : "list";
    const listings = [...run.listings, isUp ? (state.files[done] ?? null) : null];
    yield [`${done} lists`, { ...state, fences, run: { ...run, listings, done: isLast ? 0 : done + 1, step: next } }];
  } else if (step === "record") {
    if (bug === "deletes before the record" && run.plan === null) {
      const plan = planOf(state, run, scenario, bug);
      const condemned = plan.condemned.map(({ object }) => indexOf(object));
      const early = { ...run, plan, condemned };
      yield ["sends first", { ...state, run: early, flight: flying([...state.flight, ...messagesOf(state, early)]) }];
    } else yield ["records what is condemned", record(state, run, scenario, bug)];
  } else if (step === "change") yield ["records replicas", change(state, run)];
  else if (step === "send")
    yield [
      "sends",
      { ...state, run: { ...run, step: "end" }, flight: flying([...state.flight, ...messagesOf(state, run)]) },
    ];
  else {
    const { plan, watch } = run;
    const named = plan?.condemned.filter(({ object }) => watch.includes(indexOf(object))) ?? [];
    const needs = (host: string): boolean => named.some(({ files }) => files.some((file) => file.host === host));
    const safe = run.leaving.filter((host) => {
      const name = hosts[host] ?? "";
      return plan?.needed.has(name) === false && !needs(name);
    });
    yield ["collection ends", { ...state, safe, run: null }];
  }
}

function record(state: State, run: Run, scenario: Scenario, bug: Bug | null): State {
  const plan = run.plan ?? planOf(state, run, scenario, bug);
  const looks = bug !== "no second look before the record";
  const condemned = plan.condemned.filter(({ object }) => !looks || !run.watch.includes(indexOf(object)));
  const objects = condemned.map(({ object }) => object);
  const forgets = bug === "forgets condemned blobs at once" ? objects : [];
  const gone = [...plan.gone, ...forgets];
  for (const object of objects)
    if (mentions(state.tags).has(indexOf(object))) throw new Error(`${indexOf(object)} is condemned, and named`);
  for (const object of plan.lost)
    if (!state.excused.includes(indexOf(object))) throw new Error(`${indexOf(object)} is called lost`);
  let { tags, did } = state;
  if (objects.length > 0 || gone.length > 0) {
    tags = changed(tags, (copy) => {
      copy.handle({ kind: "blobs-condemned", at: 0, gc: run.gc, objects });
      copy.handle({ kind: "blobs-gone", at: 0, objects: gone });
    });
    if (bug !== "forgets condemned blobs at once") did = [...did, ...gone.map((object) => `forgot ${indexOf(object)}`)];
  }
  return { ...state, tags, did, run: { ...run, plan, condemned: objects.map(indexOf), step: "change" } };
}

/** @throws Error when a mention of a replica that is there was given up, and none is left that is */
function change(state: State, run: Run): State {
  const changes = run.plan?.changes ?? [];
  const next = { ...state, run: { ...run, step: "send" } as const };
  if (changes.length === 0) return next;
  const tags = told(state, { kind: "replicas-changed", at: 0, changes });
  const after = mentions(tags);
  for (const [blob, urls] of mentions(state.tags)) {
    const isThere = (url: string): boolean => (state.files[hostOf(url)]?.[blob] ?? -1) >= 0;
    if (urls.some(isThere) && after.get(blob)?.some(isThere) !== true && !lostSince(state, run))
      throw new Error(`no tag mentions a replica of ${blob} that is there any more`);
  }
  return { ...next, tags };
}

/** A disk went after the listing. */
function lostSince(state: State, run: Run): boolean {
  return state.losses > run.losses;
}

function messagesOf(state: State, run: Run): Message[] {
  const { epoch } = state;
  const { gc, losses, plan } = run;
  if (plan === null) return [];
  const messages: Message[] = [];
  for (const { object, files } of [...plan.condemned, ...plan.remains]) {
    const blob = indexOf(object);
    if (!run.condemned.includes(blob) && !run.before.includes(blob)) continue;
    for (const { host } of files)
      messages.push({ kind: "delete", epoch, gc, host: indexOfHost(host), blob, losses, isSurplus: false });
  }
  for (const { object, host } of plan.surplus) {
    if (run.watch.includes(indexOf(object))) continue;
    messages.push({
      kind: "delete",
      epoch,
      gc,
      host: indexOfHost(host),
      blob: indexOf(object),
      losses,
      isSurplus: true,
    });
  }
  for (const { object, sources, taken } of plan.copies) {
    const host = hosts.findIndex(
      (name, at) =>
        !taken.includes(name) && !run.leaving.includes(at) && !state.removed.includes(at) && state.up[at] === true,
    );
    if (host >= 0)
      messages.push({ kind: "copy", epoch, host, blob: indexOf(object), from: sources.map(hostOf).join() });
  }
  return messages;
}

/** @throws Error when a blob that lives is deleted */
function* delivery(state: State, message: Message, scenario: Scenario, bug: Bug | null): Generator<Step> {
  const { host, blob } = message;
  const rest = state.flight.filter((one) => one !== message);
  const name = `${message.kind} ${blob} on ${host}`;
  if (message.kind === "copied") {
    if (message.epoch !== state.epoch) return;
    const add = [address(host, blob)];
    const changes = [{ object: blobs[blob] ?? "", add, drop: [] }];
    yield [name, { ...state, flight: rest, tags: told(state, { kind: "replicas-changed", at: 0, changes }) }];
    return;
  }
  const [epoch, gc] = state.fences[host] ?? [0, 0];
  if (state.up[host] !== true || state.removed.includes(host)) return;
  if (message.epoch < epoch && bug !== "no fence of collections") return;
  if (message.kind === "copy") {
    const from = message.from.split(",").map(Number);
    const there = (state.files[host]?.[blob] ?? -1) >= 0;
    if (!there && !from.some((at) => state.up[at] === true && (state.files[at]?.[blob] ?? -1) >= 0)) return;
    const files = there ? state.files : stored(state.files, host, blob, state.now);
    const flight = flying([...rest, { kind: "copied", epoch: message.epoch, host, blob }]);
    yield [name, { ...state, flight, files, fences: put(state.fences, host, [message.epoch, gc] as const) }];
    return;
  }
  if (message.gc < gc && bug !== "no fence of collections") return;
  const storedAt = state.files[host]?.[blob] ?? -1;
  const isYoung = storedAt >= state.now - (bug === "no grace" ? -1 : graceMs);
  const fences = put(state.fences, host, [Math.max(epoch, message.epoch), Math.max(gc, message.gc)] as const);
  if (storedAt < 0 || isYoung) {
    yield [name, { ...state, flight: rest, fences }];
    return;
  }
  const next = { ...state, flight: rest, fences, files: stored(state.files, host, blob, -1) };
  if (mentions(state.tags).has(blob)) {
    if (!message.isSurplus) throw new Error(`${blob} is deleted on ${host}, and tags name it`);
    const others = holders(next, blob).length + (state.losses - message.losses);
    if (others < scenario.replicas) throw new Error(`a replica of ${blob} that is needed is deleted on ${host}`);
  }
  yield [name, next];
}

function told(state: State, event: DdfsEvent): State["tags"] {
  return changed(state.tags, (copy) => copy.handle(event));
}

function linkedAnyway(state: State, tag: string, urls: string): State["tags"] | null {
  const condemned = [...state.tags.condemned()];
  const free = changed(state.tags, (copy) => copy.handle({ kind: "blobs-gone", at: 0, objects: condemned }));
  const tags = linked(free, tag, urls);
  return tags === null
    ? null
    : changed(tags, (copy) => copy.handle({ kind: "blobs-condemned", at: 0, gc: copy.gc, objects: condemned }));
}

function indexOfHost(name: string): number {
  return hosts.indexOf(name as (typeof hosts)[number]);
}

function stored(files: State["files"], host: number, blob: number, at: number): State["files"] {
  return put(files, host, put(files[host] ?? [], blob, at));
}

function put<T>(all: readonly T[], at: number, value: T): T[] {
  return all.map((one, i) => (i === at ? value : one));
}

function add(all: readonly number[], one: number): readonly number[] {
  return all.includes(one) ? all : [...all, one].sort((a, b) => a - b);
}

/** In one order, whoever sent them first: equal states are to look equal. */
function flying(messages: readonly Message[]): Message[] {
  const byText = new Map(messages.map((message) => [JSON.stringify(message), message] as const));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, message]) => message);
}
