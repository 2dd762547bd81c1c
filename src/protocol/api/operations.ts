/** Every operation of the JSON API, in the order of the document. */
import { followEvents } from "./events.ts";
import {
  cleanJob,
  followProgress,
  getJob,
  getJobPack,
  getOob,
  getResults,
  getStageResults,
  killJob,
  listJobs,
  listOob,
  purgeJob,
  submitJob,
} from "./jobs.ts";
import { getMaster, getOpenApi } from "./master.ts";
import {
  blacklistNode,
  drainNode,
  gcBlacklistNode,
  gcWhitelistNode,
  getRemoval,
  listGcBlacklist,
  listNodes,
  undrainNode,
  whitelistNode,
} from "./nodes.ts";
import type { Operation } from "./operation.ts";
import { changeSettings, getConfig, getSettings, replaceConfig } from "./settings.ts";
import { listTasks } from "./tasks.ts";

export const apiOperations: readonly Operation[] = [
  submitJob,
  listJobs,
  getJob,
  getJobPack,
  listTasks,
  followEvents,
  followProgress,
  getStageResults,
  listOob,
  getOob,
  killJob,
  cleanJob,
  purgeJob,
  getResults,
  listNodes,
  blacklistNode,
  whitelistNode,
  drainNode,
  undrainNode,
  getRemoval,
  gcBlacklistNode,
  gcWhitelistNode,
  listGcBlacklist,
  getMaster,
  getSettings,
  changeSettings,
  getConfig,
  replaceConfig,
  getOpenApi,
];
