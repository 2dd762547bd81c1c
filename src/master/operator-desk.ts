/** What operators ask of a master and decide about nodes, settings and the table of the cluster: no job is in it. */
import type { ConfigTable, MasterInfo, MasterSettings, NodeInfo, NodeRemoval } from "../client/master-api.ts";
import type { MasterEvent } from "../core/events.ts";
import { parseConfigTable } from "./config-table.ts";
import type { Coordinator } from "./coordinator.ts";
import type { LocalMasterParts } from "./local-master-parts.ts";
import { assertNode, nodeInfos, removal } from "./node-answers.ts";

export abstract class OperatorDesk {
  protected readonly parts: LocalMasterParts;

  constructor(parts: LocalMasterParts) {
    this.parts = parts;
  }

  nodeInfo(): Promise<NodeInfo[]> {
    return nodeInfos(this.machine, this.parts.nodes, this.parts.watch?.() ?? null);
  }

  async blacklist(node: string): Promise<void> {
    await this.change({ kind: "node-blacklisted", at: this.parts.now(), host: node });
  }

  async whitelist(node: string): Promise<void> {
    await this.change({ kind: "node-whitelisted", at: this.parts.now(), host: node });
  }

  async drain(node: string): Promise<void> {
    assertNode(this.machine, node);
    await this.change({ kind: "node-draining", at: this.parts.now(), host: node });
  }

  async undrain(node: string): Promise<void> {
    assertNode(this.machine, node);
    await this.change({ kind: "node-undrained", at: this.parts.now(), host: node });
  }

  async removal(node: string): Promise<NodeRemoval> {
    return removal(this.machine, node);
  }

  async masterInfo(): Promise<MasterInfo> {
    const machine = this.machine;
    const { identity, alarms, coordinator } = this.parts;
    let dead = 0;
    for (const { status } of machine.ended.values()) if (status === "dead") dead++;
    const jobs = { active: machine.jobs.size, ready: machine.ended.size - dead, dead };
    const { readOnly } = coordinator;
    const own = { ...identity, pid: process.pid, epoch: machine.cluster.epoch, readOnly, alarms: alarms(), jobs };
    const { leading } = this.parts;
    if (leading === undefined) return own;
    const ageMs = Math.max(0, Math.round(leading.ageMs()));
    return { ...own, role: leading.role(), leader: leading.leader()?.url ?? null, ageMs };
  }

  async settings(): Promise<MasterSettings> {
    return this.machine.settings;
  }

  async saveSettings(changes: Partial<MasterSettings>): Promise<void> {
    await this.change({ kind: "settings-saved", at: this.parts.now(), changes });
  }

  async configTable(): Promise<ConfigTable> {
    const { config, nodes } = this.machine.cluster;
    // Before an operator has written one: what the nodes offer.
    const table = config.size > 0 ? [...config] : [...nodes.values()].map(({ host, slots }) => [host, slots] as const);
    return table.map(([host, slots]) => [host, String(slots)]);
  }

  async saveConfigTable(table: ConfigTable): Promise<void> {
    await this.change({ kind: "config-saved", at: this.parts.now(), table: parseConfigTable(table) });
  }

  async gcBlacklist(): Promise<string[]> {
    return [...this.machine.gcBlacklist].sort();
  }

  async gcBlacklistNode(node: string): Promise<void> {
    await this.change({ kind: "gc-blacklisted", at: this.parts.now(), host: node });
  }

  async gcWhitelistNode(node: string): Promise<void> {
    await this.change({ kind: "gc-whitelisted", at: this.parts.now(), host: node });
  }

  /** Of what an operator decides; not while there is no room. */
  protected async change(event: MasterEvent): Promise<void> {
    this.parts.coordinator.assertRoom();
    this.parts.coordinator.record([event]);
    await this.parts.coordinator.committed();
  }

  protected get machine(): Coordinator["machine"] {
    this.parts.coordinator.assertAlive();
    return this.parts.coordinator.machine;
  }
}
