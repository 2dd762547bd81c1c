/** What an operator sets: Disco's numbers and its table of nodes. Values come as text, as Disco's page sends them. */
import type { ConfigTable, MasterSettings } from "../../client/master-api.ts";
import { brief, jsonBody } from "./arguments.ts";
import { BadRequest, json, type Route } from "./route.ts";

const failureRateMax = 1_000_000;
const rowsMax = 10_000;

export const settingRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/disco/ctrl/get_settings",
    async handle(_request, master) {
      const { maxFailureRate, acceptNewJobs } = await master.settings();
      return json({ max_failure_rate: maxFailureRate, accept_new_jobs: acceptNewJobs ? 1 : 0 });
    },
  },
  {
    method: "POST",
    path: "/disco/ctrl/save_settings",
    async handle(request, master) {
      await master.saveSettings(settingsOf(jsonBody(request)));
      return json("Settings saved");
    },
  },
  {
    method: "GET",
    path: "/disco/ctrl/load_config_table",
    async handle(_request, master) {
      return json(await master.configTable());
    },
  },
  {
    method: "POST",
    path: "/disco/ctrl/save_config_table",
    async handle(request, master) {
      await master.saveConfigTable(tableOf(jsonBody(request)));
      return json("table saved!");
    },
  },
];

function settingsOf(value: unknown): Partial<MasterSettings> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadRequest(`an object of settings expected, '${brief(value)}' received`);
  }
  const changes: { maxFailureRate?: number; acceptNewJobs?: boolean } = {};
  for (const [name, text] of Object.entries(value)) {
    if (name === "max_failure_rate") changes.maxFailureRate = wholeNumber(name, text, failureRateMax);
    else if (name === "accept_new_jobs") changes.acceptNewJobs = wholeNumber(name, text, 1) === 1;
    else throw new BadRequest(`there is no setting '${name.slice(0, 100)}': max_failure_rate and accept_new_jobs are`);
  }
  return changes;
}

function wholeNumber(name: string, value: unknown, max: number): number {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !/^\d{1,9}$/.test(text) || Number(text) > max) {
    throw new BadRequest(`${name} is a whole number from 0 to ${max}, '${brief(value)}' received`);
  }
  return Number(text);
}

function tableOf(value: unknown): ConfigTable {
  const isTable =
    Array.isArray(value) &&
    value.length <= rowsMax &&
    value.every((row) => Array.isArray(row) && row.length === 2 && row.every((cell) => typeof cell === "string"));
  if (!isTable) {
    throw new BadRequest(`[["node", "workers"], …] of at most ${rowsMax} rows expected, '${brief(value)}' received`);
  }
  return value as unknown as ConfigTable;
}
