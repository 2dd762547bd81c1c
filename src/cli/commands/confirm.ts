/**
 * Before something goes that cannot come back. Somebody who has named a job (or a tag) in full has decided; whoever gave a pattern, a short
 * name or several sees the list first: a person is asked, a program has to say `--yes`.
 */
import { createInterface } from "node:readline/promises";
import { DiscoError } from "../../errors.ts";
import { formatCount } from "../progress/quantity.ts";

export interface Question {
  /** `purge`: the command, and what is asked. */
  readonly verb: string;
  readonly names: readonly string[];
  readonly yes: boolean;
  /** What they are. */
  readonly kind?: Kind;
}

export interface Kind {
  /** `disco purge`: the command that takes a name in full. */
  readonly command: (verb: string) => string;
  readonly one: string;
  readonly several: string;
}

const jobs: Kind = { command: (verb) => `disco ${verb}`, one: "job", several: "jobs" };

const namesShownMax = 20;

/** Resolves when it may be done. @throws DiscoError `not-confirmed` */
export async function confirm({ verb, names, yes, kind = jobs }: Question): Promise<void> {
  if (yes) return;
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) {
    const [only] = names;
    throw new DiscoError(`${verb} of ${listed(names, kind)} needs a confirmation`, {
      code: "not-confirmed",
      hint: `Say --yes${names.length === 1 ? `, or the full name: ${kind.command(verb)} ${only}` : ""}.`,
    });
  }
  for (const name of names.slice(0, namesShownMax)) stderr.write(`  ${name}\n`);
  if (names.length > namesShownMax) stderr.write(`  and ${formatCount(names.length - namesShownMax)} more\n`);
  const asking = createInterface({ input: stdin, output: stderr });
  try {
    const meant = names.length === 1 ? `this ${kind.one}` : `these ${formatCount(names.length)} ${kind.several}`;
    // Ctrl-C and the end of the input mean no.
    const answer = await asking.question(`${verb} ${meant}? [y/N] `).catch(() => "");
    if (!/^y(?:es)?$/i.test(answer.trim())) {
      throw new DiscoError("nothing was done", { code: "not-confirmed" });
    }
  } finally {
    asking.close();
  }
}

function listed(names: readonly string[], { several }: Kind): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${formatCount(names.length - 3)} more ${several}` : shown;
}
