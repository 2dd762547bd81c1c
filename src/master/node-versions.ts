/** Which nodes a master works with: those that speak as it does, which versions that differ in their last number only do. */
import { DiscoError } from "../errors.ts";
import { packageVersion } from "../package-version.ts";

/** @throws DiscoError `version-mismatch` */
export function assertVersions(host: string, version: string | undefined): void {
  const own = packageVersion();
  if (version === undefined || seriesOf(version) === seriesOf(own)) return;
  throw new DiscoError(`node ${host} has version ${version} of disco-mapreduce, the master ${own}`, {
    code: "version-mismatch",
    retry: "here",
    node: host,
    hint: "Install the same version on masters and nodes; those that differ in the last number only work together.",
  });
}

function seriesOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
