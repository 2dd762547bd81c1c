/** The bar of a stage: a drawing, because its widths are attributes there and need no style. */
import type { StageInfo } from "../client/master-api.ts";
import { stageShare } from "./stage-share.ts";

const namespace = "http://www.w3.org/2000/svg";
const width = 1_000;

export class StageBar {
  readonly node = document.createElementNS(namespace, "svg");
  readonly #done = document.createElementNS(namespace, "rect");
  readonly #running = document.createElementNS(namespace, "rect");

  constructor({ wide = false }: { readonly wide?: boolean } = {}) {
    this.node.setAttribute("viewBox", `0 0 ${width} 10`);
    this.node.setAttribute("preserveAspectRatio", "none");
    this.node.setAttribute("role", "img");
    this.node.classList.add("progress");
    if (wide) this.node.classList.add("wide");
    for (const [rect, name] of [
      [this.#done, "done"],
      [this.#running, "running"],
    ] as const) {
      rect.setAttribute("height", "10");
      rect.classList.add(name);
      this.node.append(rect);
    }
  }

  update(stage: StageInfo, isDead: boolean): void {
    const { done, running, words } = stageShare(stage);
    this.#done.setAttribute("width", String(done * width));
    this.#running.setAttribute("x", String(done * width));
    this.#running.setAttribute("width", String(running * width));
    this.node.classList.toggle("dead", isDead);
    this.node.setAttribute("aria-label", words);
  }
}
