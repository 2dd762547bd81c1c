/** Commands that end jobs, forget them, or delete them. */
import { type Command, Option } from "commander";
import { statuses, withExamples, withMaster } from "./shared-options.ts";

const severalNames = "names, beginnings of names, or patterns such as 'word*'";
const yes = ["-y, --yes", "ask nothing; needed where several jobs are meant and nobody can be asked"] as const;

export function addEndingCommands(program: Command): void {
  const kill = program
    .command("kill")
    .summary("end jobs that run")
    .description(
      "Ends jobs that run: what of them runs is stopped at once, and they are dead. A pattern means active jobs.",
    )
    .argument("<names...>", severalNames)
    .option(...yes);
  withExamples(withMaster(kill), "disco kill word_count@5f2:1a3:7", "disco kill 'test_*' --yes").action(
    async (names: string[], options) => (await import("../commands/end-jobs.ts")).killJobs(names, options),
  );

  const clean = program
    .command("clean")
    .summary("forget jobs, and keep their files")
    .description(
      "Forgets the records of jobs. Their results and all other files stay, and can be read by their addresses.",
    );
  withRemoval(clean);
  withExamples(withMaster(clean), "disco clean word_count@5f2:1a3:7", "disco clean '*' --status dead --yes").action(
    async (names: string[], options) => (await import("../commands/end-jobs.ts")).cleanJobs(names, options),
  );

  const purge = program
    .command("purge")
    .summary("delete jobs, their results and all their files")
    .description(
      "Deletes jobs, their results and all their files. A pattern means jobs that have ended. With --force, files go as well " +
        "whose job was cleaned before.",
    );
  withRemoval(purge);
  withExamples(
    withMaster(purge),
    "disco purge word_count@5f2:1a3:7",
    "disco purge 'test_*' --status dead --yes",
  ).action(async (names: string[], options) => (await import("../commands/end-jobs.ts")).purgeJobs(names, options));
}

function withRemoval(command: Command): void {
  command
    .argument("<names...>", severalNames)
    .option(...yes)
    .option("--force", "kill jobs that still run")
    .addOption(new Option("--status <status>", "only jobs of this status").choices(statuses));
}
