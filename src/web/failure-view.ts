/** Why a job is dead, with the user's own lines. */
import type { JobInfo } from "../client/master-api.ts";
import { byId, element } from "./dom.ts";

const place = byId("failure", HTMLElement);
let told = "";

export function showFailure({ reason, failure }: Pick<JobInfo, "reason" | "failure">): void {
  // Built once: a selection in it stays.
  const now = JSON.stringify([reason, failure]);
  if (now === told) return;
  told = now;
  place.hidden = reason === null && failure === null;
  place.replaceChildren();
  if (reason !== null) place.append(element("p", {}, element("strong", {}, reason)));
  if (failure === null) return;
  const { name, code, message, location: at, frame, stack, hint, url } = failure;
  place.append(element("p", {}, `${name}: ${message} `, element("span", { class: "dim" }, code)));
  if (at !== undefined) place.append(element("p", { class: "mono" }, `${at.file}:${at.line}:${at.column}`));
  if (frame !== undefined) place.append(element("pre", {}, frame));
  if (url !== undefined) place.append(element("p", {}, "Input: ", element("span", { class: "mono" }, url)));
  if (hint !== undefined) place.append(element("p", {}, hint));
  if (stack !== undefined) {
    place.append(element("details", {}, element("summary", {}, "Stack"), element("pre", {}, stack)));
  }
}
