/** Garbage collection in every order in which things can happen (faults 59 to 62). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bug, Scenario } from "./model.ts";
import { longScenarios, scenarios } from "./scenarios.ts";
import { search } from "./search.ts";

const all = { ...scenarios, ...longScenarios };
const pushes = all["pushes, tags and a collection"];
const accidents = all["a node goes down and another one loses its disk, and two collections"];
const removal = all["a node is emptied while another one loses its disk"];
const leaving = all["a push to a node that is to be removed"];

/** What is seen of each in a scenario, in which without it nothing is. */
const bugs: readonly (readonly [bug: Bug, scenario: Scenario | undefined, message: RegExp])[] = [
  ["no grace", pushes, /may not name 2, which was pushed a moment ago/],
  ["condemns on half a listing", accidents, /0 is deleted on 1, and tags name it/],
  ["no second look before the record", pushes, /2 is condemned, and named/],
  ["lists before it reads tags", pushes, /2 is called lost/],
  ["tags may name condemned blobs", pushes, /2 is deleted on 1, and tags name it/],
  ["forgets condemned blobs at once", pushes, /2 is deleted on 1, and tags name it/],
  ["no fence of collections", removal, /no tag mentions a replica of 0 that is there/],
  ["listing raises no fence", removal, /no tag mentions a replica of 0 that is there/],
  ["deletes before the record", pushes, /2 is deleted on 1, and tags name it/],
  ["drops mentions of who did not list", accidents, /0 is called lost/],
  ["forgets what was just pushed to a leaving node", leaving, /t names 0, which was deleted/],
  ["surplus counts files that nobody mentions", removal, /a replica of 0 that is needed is deleted/],
];
const statesMax = 60_000;

describe("every order of pushes, tags, collections, takeovers and accidents", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    it(`loses nothing that is named, and keeps nothing for ever: ${name}`, (t) => {
      const { states, failure, isWhole } = search(scenario);
      if (failure !== null) throw new Error(failure.story.join("\n"), { cause: failure.error });
      assert.ok(isWhole);
      t.diagnostic(`${states} states`);
    });
  }

  it("finds each safeguard that is left out", () => {
    for (const [bug, scenario, message] of bugs) {
      assert.ok(scenario !== undefined);
      const { failure } = search(scenario, bug, statesMax);
      assert.match(failure?.error.message ?? `${bug} is not found`, message, bug);
    }
  });
});
