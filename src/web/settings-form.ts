/** What an operator may change while the master runs. */
import type { MasterSettings } from "../client/master-api.ts";
import { ask } from "./api.ts";
import { byId } from "./dom.ts";
import { Live } from "./live.ts";
import { attempt, tell } from "./notice.ts";

const refreshMs = 5_000;

const form = byId("settings", HTMLFormElement);
const accept = byId("accept", HTMLInputElement);
const failureRate = byId("failure-rate", HTMLInputElement);
let isTouched = false;

export function followSettings(): void {
  const live = new Live({
    source: "settings",
    round: async ({ signal, alive }) => {
      const settings = await ask<MasterSettings>("/settings", { signal });
      alive();
      // What somebody is about to change is theirs until it is saved.
      if (!isTouched) show(settings);
      return refreshMs;
    },
  });
  form.addEventListener("input", () => (isTouched = true));
  const save = async (): Promise<void> => {
    const body = { acceptNewJobs: accept.checked, maxFailureRate: failureRate.valueAsNumber };
    const saved = await attempt("Cannot save the settings", async () => {
      show(await ask<MasterSettings>("/settings", { method: "PATCH", body }));
    });
    if (!saved) return;
    isTouched = false;
    tell("The settings are saved.");
    live.again();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
}

function show({ acceptNewJobs, maxFailureRate }: MasterSettings): void {
  accept.checked = acceptNewJobs;
  failureRate.value = String(maxFailureRate);
}
