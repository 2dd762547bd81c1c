/** The master, its settings, and the configuration table. */
import { getMaster, getOpenApi } from "../../../protocol/api/master.ts";
import { changeSettings, getConfig, getSettings, replaceConfig } from "../../../protocol/api/settings.ts";
import { serve } from "./call.ts";

export const settingOperations = [
  serve(getMaster, ({ master }) => master.masterInfo()),
  serve(getSettings, ({ master }) => master.settings()),
  serve(changeSettings, async ({ master, body }) => {
    await master.saveSettings(body);
    return await master.settings();
  }),
  serve(getConfig, async ({ master }) => ({ table: await master.configTable() })),
  serve(replaceConfig, ({ master, body }) => master.saveConfigTable(body.table)),
  serve(getOpenApi, async () => (await import("./openapi.ts")).openApiDocument()),
];
