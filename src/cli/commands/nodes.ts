/** `disco nodes`, `disco nodes set`, `disco blacklist`, `disco whitelist`. */
import type { Disco } from "../../client/disco.ts";
import type { ConfigTable, NodeInfo } from "../../client/master-api.ts";
import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import { type Cell, type Column, formatColumns, widthOf } from "../print/columns.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { type Look, lookOf } from "../progress/look.ts";
import { formatBytes, formatCount } from "../progress/quantity.ts";
import { type StoreOptions, withDisco } from "./open-disco.ts";

const columns: readonly Column[] = [
  { title: "NODE" },
  { title: "STATE" },
  { title: "SLOTS", align: "right" },
  { title: "RUNNING", align: "right" },
  { title: "OK", align: "right" },
  { title: "FAILED", align: "right" },
  { title: "DATA ERRORS", align: "right" },
  { title: "DISK FREE", align: "right" },
  { title: "USED", align: "right" },
  { title: "LABELS", shrinks: true },
];

export async function listNodes(options: StoreOptions): Promise<void> {
  const nodes = await withDisco(options, (disco) => disco.nodeinfo());
  if (options.json === true) return printJson(nodes);
  if (nodes.length === 0) process.stderr.write("no nodes\n");
  else printLines(linesOfNodes(nodes, widthOf(process.stdout), lookOf(process.stdout)));
}

/** By name; why they get no tasks only where there is one that gets none. */
export function linesOfNodes(nodes: readonly NodeInfo[], width: number, look: Look): string[] {
  const sorted = nodes.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const whys = sorted.map(({ reason }) => reason ?? "");
  const says = whys.some((why) => why !== "");
  const shown: readonly Column[] = says ? [...columns, { title: "WHY", shrinks: true }] : columns;
  const rows = sorted.map((node, i) => (says ? [...rowOf(node), whys[i] ?? ""] : rowOf(node)));
  return formatColumns(shown, rows, width, look);
}

function rowOf(node: NodeInfo): Cell[] {
  return [
    node.name,
    stateOf(node),
    formatCount(node.slots),
    formatCount(node.tasks.length),
    formatCount(node.tasksOk),
    formatCount(node.tasksFailed),
    formatCount(node.dataErrors),
    // A master that has not heard of the node's disk says 0 of both, which no disk has.
    ...(node.diskFreeBytes + node.diskUsedBytes === 0
      ? ["?", "?"]
      : [formatBytes(node.diskFreeBytes), formatBytes(node.diskUsedBytes)]),
    Object.entries(node.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
  ];
}

function stateOf({ connected, blacklisted, state = "up" }: NodeInfo): Cell {
  if (!connected) return { text: "lost", style: "red" };
  if (state === "suspect" || state === "full") return { text: state, style: "red" };
  if (state !== "up" && state !== "blacklisted") return { text: state, style: "yellow" };
  return blacklisted ? { text: "blacklisted", style: "yellow" } : { text: "ok", style: "green" };
}

/** Rows of Disco's configuration table: those named are set, the others stay. Prints the table as it is now. */
export async function setSlots(words: readonly string[], options: StoreOptions): Promise<void> {
  const changes = words.map(parseRow);
  const table = await withDisco(options, async (disco) => {
    const master = await disco.master();
    const before = await master.configTable();
    const rows = new Map(before.map(([node, slots]) => [node, slots]));
    for (const [node, slots] of changes) rows.set(node, slots);
    await master.saveConfigTable([...rows]);
    return master.configTable();
  });
  printTable(table, options);
}

function parseRow(word: string): readonly [node: string, slots: string] {
  const row = /^([^\s=]+)=(\d+)$/.exec(word);
  if (row?.[1] !== undefined && row[2] !== undefined) return [row[1], row[2]];
  throw new DiscoError(`${word}: NODE=SLOTS was expected`, {
    code: "bad-argument",
    hint: "Write for instance disco nodes set localhost=4.",
  });
}

function printTable(table: ConfigTable, { json }: StoreOptions): void {
  if (json === true) printJson(table);
  else printLines(table.map(([node, slots]) => `${node}\t${slots}`));
}

export type NodeList = "blacklist" | "whitelist";

export interface NodeListOptions extends StoreOptions {
  /** Also a node that is not known (yet). */
  readonly force?: boolean;
}

/** Without names: prints the nodes that are on the list, one a line. */
export async function changeList(list: NodeList, names: readonly string[], options: NodeListOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const nodes = await disco.nodeinfo();
    if (names.length > 0) await move(disco, list, names, nodes, options);
    const listed = nodes.filter((node) => (list === "blacklist") === node.blacklisted).map(({ name }) => name);
    if (names.length === 0) print(listed, options);
    else print(names, options);
  });
}

async function move(
  disco: Disco,
  list: NodeList,
  names: readonly string[],
  nodes: readonly NodeInfo[],
  { force }: NodeListOptions,
): Promise<void> {
  const known = new Set(nodes.map(({ name }) => name));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined && force !== true) throw unknownNode(unknown, known);
  for (const name of names) {
    await (list === "blacklist" ? disco.blacklist(name) : disco.whitelist(name));
    process.stderr.write(
      list === "blacklist" ? `${name} gets no more tasks; what runs there finishes\n` : `${name} gets tasks\n`,
    );
  }
}

function unknownNode(name: string, known: ReadonlySet<string>): DiscoError {
  const meant = nearestName(name, known);
  const hint = meant === undefined ? `The nodes are ${[...known].join(", ")}` : `Did you mean ${meant}`;
  return new DiscoError(`there is no node ${name}`, {
    code: "unknown-node",
    node: name,
    hint: meant === undefined ? `${hint}; --force names one that has not joined yet.` : `${hint}?`,
  });
}

function print(names: readonly string[], { json }: StoreOptions): void {
  if (json === true) printJson(names);
  else printLines(names);
}
