/** `disco completion`. What the scripts ask for at a key press is answered before the program is built (`disco.ts`). */
import { Argument, type Command } from "commander";
import { withExamples } from "./shared-options.ts";

export function addCompletion(program: Command): void {
  const completion = program
    .command("completion")
    .summary("print a script that completes commands at the TAB key")
    .description(
      "Prints a script for the shell that completes commands, options, their values, files, and the names of jobs and nodes. " +
        "Load it where the shell starts.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .option("--json", "print a JSON object with the script");
  withExamples(
    completion,
    "source <(disco completion bash)     # in ~/.bashrc; for zsh after compinit in ~/.zshrc",
    "disco completion fish | source      # in ~/.config/fish/config.fish",
  ).action(async (shell: "bash" | "zsh" | "fish", { json }: { json?: boolean }) => {
    const { completionScript } = await import("../completion/scripts.ts");
    const script = completionScript(shell);
    process.stdout.write(json === true ? `${JSON.stringify({ shell, script })}\n` : script);
  });
}
