/** Node and this package. */
import { existsSync } from "node:fs";
import { fromSource, packageFolder } from "../../../package-files.ts";
import { packageVersion } from "../../../package-version.ts";
import { type Finding, fail, ok } from "./finding.ts";

const nodeMajorMin = 24;

export function checkInstallation(): Finding[] {
  const major = Number(process.versions.node.split(".")[0]);
  const node =
    major >= nodeMajorMin
      ? ok("node", `Node ${process.version}, ${process.platform} ${process.arch}`)
      : fail(
          "node",
          `Node ${process.version} is too old`,
          `Install Node ${nodeMajorMin} or later (https://nodejs.org).`,
        );
  return [
    node,
    checkSqlite(),
    ok("version", `disco-mapreduce ${packageVersion()}${inCheckout() ? ", from its sources" : ""}`),
  ];
}

/** Some distributions build Node without it. */
function checkSqlite(): Finding {
  return process.getBuiltinModule("node:sqlite") === undefined
    ? fail("sqlite", "this Node has no SQLite, which the journal needs", "Install a Node from https://nodejs.org.")
    : ok("sqlite", `SQLite ${process.versions["sqlite"] ?? ""}`.trim());
}

function inCheckout(): boolean {
  return fromSource && existsSync(new URL("../tsconfig.json", packageFolder));
}
