/**
 * Disco's configuration table: rows of a node and the number of its worker processes, both as text. `["host01:10", "4"]` names ten
 * nodes, host01 to host10.
 */
import type { ConfigTable } from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";

const nodesMax = 10_000;
const slotsMax = 10_000;
const rowPattern = /^([a-zA-Z0-9][a-zA-Z0-9._-]{0,252}?)(\d*)(?::(\d{1,9}))?$/;

/** One entry a node, ranges written out. @throws DiscoError `bad-config` */
export function parseConfigTable(table: ConfigTable): [host: string, slots: number][] {
  const nodes = new Map<string, number>();
  for (const row of table) {
    if (!Array.isArray(row) || row.length !== 2) throw invalid(`${JSON.stringify(row)} is not [node, workers]`);
    const slots = slotsOf(row[1]);
    for (const host of hostsOf(row[0])) {
      if (nodes.has(host)) {
        throw new DiscoError("duplicate nodes", { code: "bad-config", hint: `${host} is there twice.`, node: host });
      }
      if (nodes.size === nodesMax) throw invalid(`more than ${nodesMax} nodes`);
      nodes.set(host, slots);
    }
  }
  return [...nodes];
}

function slotsOf(text: unknown): number {
  const digits = typeof text === "string" ? text.trim() : "";
  if (!/^\d{1,9}$/.test(digits) || Number(digits) > slotsMax)
    throw invalid(`${JSON.stringify(text)} is not a number of workers, from 0 to ${slotsMax}`);
  return Number(digits);
}

function* hostsOf(text: unknown): Generator<string> {
  const spec = typeof text === "string" ? text.trim() : "";
  const parts = rowPattern.exec(spec);
  if (parts === null) throw invalid(`${JSON.stringify(text)} is not the name of a node, nor a range like host01:10`);
  const [, , from = "", to] = parts;
  if (to === undefined) {
    yield spec;
    return;
  }
  // As many digits as the end of the range has belong to the number: host01:10 is host01, host02 … host10.
  if (from.length < to.length || Number(from.slice(-to.length)) > Number(to))
    throw invalid(`${spec}: a range ends with a number of no more digits than the name does, and not below it`);
  const name = spec.slice(0, spec.length - to.length - 1 - to.length);
  for (let n = Number(from.slice(-to.length)); n <= Number(to); n++)
    yield `${name}${String(n).padStart(to.length, "0")}`;
}

function invalid(why: string): DiscoError {
  return new DiscoError(`invalid config: ${why}`, {
    code: "bad-config",
    hint: 'Rows are [node, workers], both text: ["localhost", "4"] or ["host01:10", "4"].',
  });
}
