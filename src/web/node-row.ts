/** A node in the table: its state, its slots, whether it gets new tasks. */
import type { ConfigTable, NodeInfo } from "../client/master-api.ts";
import { ask } from "./api.ts";
import { slotsOf, withSlots } from "./config-table.ts";
import { confirmed } from "./confirmation.ts";
import { button, element, setStatus, setText } from "./dom.ts";
import { bytes, count, counted } from "./format.ts";
import type { Row } from "./keyed-list.ts";
import { attempt, tell } from "./notice.ts";

const slotsMax = 99_999;

/** `changed` is called when something was saved. */
export function nodeRow({ name }: NodeInfo, changed: () => void): Row<NodeInfo> {
  const state = element("span");
  const numbers = Array.from({ length: 5 }, () => element("td", { class: "number" }));
  const input = element("input", { type: "number", min: "0", max: String(slotsMax), "aria-label": `Slots of ${name}` });
  const form = element("form", { class: "slots" }, input, element("button", { type: "submit" }, "Set"));
  let isBlacklisted = false;
  let offered = "";
  const list = button("", () => void toggle(name, isBlacklisted, changed));
  const save = async (): Promise<void> => {
    const slots = slotsOf(input.value);
    if (slots === null) {
      tell(`Slots of ${name}: a whole number expected`, { bad: true });
      return;
    }
    if (!(await saveSlots(name, slots))) return;
    offered = input.value;
    tell(`${name} has ${counted(slots, "slot")} now.`);
    changed();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  return {
    node: element(
      "tr",
      {},
      element("th", { scope: "row", class: "name" }, name),
      element("td", {}, state),
      element("td", {}, form),
      ...numbers,
      element("td", {}, list),
    ),
    update: (node) => {
      isBlacklisted = node.blacklisted;
      setStatus(state, node.state ?? (node.connected ? (isBlacklisted ? "blacklisted" : "up") : "lost"));
      state.title = node.reason ?? "";
      // What somebody has typed stays until it is saved.
      if (input.value === offered) input.value = offered = String(node.slots);
      setText(list, isBlacklisted ? "Whitelist" : "Blacklist");
      list.setAttribute("aria-label", `${isBlacklisted ? "Whitelist" : "Blacklist"} ${name}`);
      const { tasks, tasksOk, tasksFailed, dataErrors, diskFreeBytes } = node;
      const texts = [...[tasks.length, tasksOk, tasksFailed, dataErrors].map(count), bytes(diskFreeBytes)];
      for (const [i, cell] of numbers.entries()) setText(cell, texts[i] ?? "");
    },
  };
}

/** The table is read right before it is written: another operator may have changed other rows. */
function saveSlots(node: string, slots: number): Promise<boolean> {
  return attempt(`Cannot set the slots of ${node}`, async () => {
    const { table } = await ask<{ table: ConfigTable }>("/config");
    await ask("/config", { method: "PUT", body: { table: withSlots(table, node, slots) } });
  });
}

async function toggle(node: string, isBlacklisted: boolean, changed: () => void): Promise<void> {
  const action = isBlacklisted ? "whitelist" : "blacklist";
  const question = {
    title: `Blacklist ${node}?`,
    text: "No new tasks start there; what runs may finish.",
    action: "Blacklist",
  };
  if (!isBlacklisted && !(await confirmed(question))) return;
  const path = `/nodes/${encodeURIComponent(node)}/${action}`;
  if (await attempt(`Cannot ${action} ${node}`, () => ask(path, { method: "POST" }))) changed();
}
