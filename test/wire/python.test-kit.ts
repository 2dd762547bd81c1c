/** Python 3, where there is one. */
import { spawnSync } from "node:child_process";

const asked = spawnSync("python3", ["-c", "import sys; sys.version_info < (3, 7) or print(sys.executable)"]);

/** Absolute path; empty where there is none. */
export const python: string = asked.status === 0 ? asked.stdout.toString().trim() : "";

/** For `skip`: why tests that need Python are not run here; `false`: there is one. */
export const noPython: string | false = python === "" ? "there is no python3 (3.7 or later) here" : false;
