/**
 * What the gateway has in memory of requests and answers that have to be whole: lists of tags that may have to be sent again, and indexes
 * of outputs. A job's workers may ask for as much as they like; beyond the limit they are told to ask later, and the node lives on. Each
 * job has its own: what one keeps waiting is in nobody else's way.
 */
import type { ServerResponse } from "node:http";

export class HeldBytes {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * For one request: whether so many more bytes may be kept for it. They are, until it has been answered; what is alone may be larger
   * than the limit.
   */
  for(response: ServerResponse): (bytes: number) => boolean {
    let held = 0;
    let isOver = response.destroyed;
    response.once("close", () => {
      isOver = true;
      this.#bytes -= held;
      held = 0;
    });
    return (bytes) => {
      if (isOver || (this.#bytes > held && this.#bytes + bytes > this.#bytesMax)) return false;
      this.#bytes += bytes;
      held += bytes;
      return true;
    };
  }
}
