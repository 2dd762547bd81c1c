/**
 * The `ddfs` command as a whole. Names, arguments and help of its commands are in `program/`, what they do in the files beside this one,
 * loaded on demand.
 */
import { Command } from "commander";
import { packageVersion } from "../../package-version.ts";
import { addAttributeCommands } from "./program/attributes.ts";
import { addBlobCommands } from "./program/blobs.ts";
import { addCheckCommands } from "./program/checks.ts";
import { addTagCommands } from "./program/tags.ts";

export function buildDdfsProgram(): Command {
  const program = new Command("ddfs")
    .description("Tags and blobs of the Disco Distributed Filesystem.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "explain a command")
    // Complaints come out as all other errors do: see `runCommandLine`.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  program.commandsGroup("Blobs:");
  addBlobCommands(program);
  program.commandsGroup("Tags:");
  addTagCommands(program);
  program.commandsGroup("Attributes:");
  addAttributeCommands(program);
  program.commandsGroup("Space, garbage, damage:");
  addCheckCommands(program);
  program.addHelpText("after", programNotes);
  return program;
}

const programNotes = `
Tags are named NAME or tag://NAME; where several may be meant, also by patterns ('data:*') and, with -p, by what they begin with.
A job reads them as its input: tag://NAME.

Environment:
  DISCO_MASTER      the master, as with --master
  DISCO_ROOT        where blobs and tags are stored
  DDFS_READ_TOKEN   shown to tags that ask for a token before they are read
  DDFS_WRITE_TOKEN  shown to tags that ask for a token before they are changed
  DISCO_DEBUG=1     print whole stack traces
  NO_COLOR=1        no colours
`;
