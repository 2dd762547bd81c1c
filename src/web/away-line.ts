/** Says when the master is away; what it told before is dimmed meanwhile. */
import { awayText, Connection } from "./connection.ts";
import { byId, setText } from "./dom.ts";
import { age } from "./format.ts";

const refreshMs = 1_000;

export const connection = new Connection(() => performance.now());

export function showAway(): void {
  const away = connection.away();
  const line = byId("away", HTMLParagraphElement);
  document.body.classList.toggle("away", away !== null);
  line.hidden = away === null;
  if (away !== null) setText(line, awayText(away, age));
}

setInterval(showAway, refreshMs);
