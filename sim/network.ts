/** What passes between master and nodes: delayed, so that messages overtake each other, doubled and dropped. */
import type { FakeNode } from "./fake-node.ts";
import type { World } from "./world.ts";

export class Network {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  toNode(node: FakeNode, act: () => void): void {
    const deliver = (): void => {
      // A process that is stopped reads later what has come for it.
      if (node.paused && node.up && !node.cut && !node.deaf) this.#world.agenda.after(100, deliver);
      else if (node.hears) act();
    };
    this.#send(deliver);
  }

  toMaster(node: FakeNode, act: () => void): void {
    if (!node.isHeard) return;
    this.#send(() => {
      if (!node.cut && !node.mute) act();
    });
  }

  #send(deliver: () => void): void {
    const { agenda, random } = this.#world;
    const isFaulty = (p: number): boolean => this.#world.chance(p);
    if (isFaulty(0.03)) return;
    const times = isFaulty(0.05) ? 2 : 1;
    for (let n = 0; n < times; n++) agenda.after(isFaulty(0.05) ? random.int(10, 300) : random.int(0, 5), deliver);
  }
}
