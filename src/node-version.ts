/** Imported before everything else: an older Node would fail on the first thing that it does not know, and not say why. */
const nodeMajorMin = 24;

if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
  throw new Error(
    `disco-mapreduce needs Node ${nodeMajorMin} or later, this is ${process.version}. ` +
      "Where npm brought one along, `npx node SCRIPT` runs it; else install it from https://nodejs.org.",
  );
}
