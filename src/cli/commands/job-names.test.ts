import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JobListEntry } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import { newestOf, selectJobs } from "./job-names.ts";
import { patternOf } from "./job-pattern.ts";

/** From the oldest to the newest. */
const jobs: readonly JobListEntry[] = [
  ["hamlet@1:1:1", "ready"],
  ["hamlet@1:2:1", "active"],
  ["count@1:3:1", "dead"],
  ["counter@1:4:1", "ready"],
].map(([name, status], at) => ({ name, status, submittedAt: at }) as JobListEntry);

function refusal(act: () => unknown): { readonly code: string; readonly hint: string } {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof DiscoError);
    return { code: error.code, hint: error.hint ?? "" };
  }
  return assert.fail("it was not refused");
}

test("a name without its end is the newest job of that name", () => {
  assert.equal(newestOf(jobs, "hamlet"), "hamlet@1:2:1");
  assert.equal(newestOf(jobs, "count"), "count@1:3:1", "a whole name is over names that go on");
  assert.equal(newestOf(jobs, "hamlet@1:1"), "hamlet@1:1:1");
});

test("a beginning is enough where it is unique, and is refused with all that it may mean where it is not", () => {
  assert.equal(newestOf(jobs, "ham"), "hamlet@1:2:1");
  assert.deepEqual(
    refusal(() => newestOf(jobs, "cou")),
    { code: "ambiguous-name", hint: "Type more of the name." },
  );
  assert.equal(refusal(() => newestOf(jobs, "hamlet@1:")).code, "ambiguous-name");
});

test("@ is the newest job, and @?TEXT the newest with TEXT in its name, as in Disco", () => {
  assert.equal(newestOf(jobs, "@"), "counter@1:4:1");
  assert.equal(newestOf(jobs, "@?aml"), "hamlet@1:2:1");
  assert.equal(refusal(() => newestOf(jobs, "@?xyz")).code, "unknown-job");
});

test("a slip is answered by the name that was probably meant", () => {
  assert.deepEqual(
    refusal(() => newestOf(jobs, "hmalet")),
    {
      code: "unknown-job",
      hint: "Did you mean hamlet@1:2:1?",
    },
  );
  assert.match(refusal(() => newestOf(jobs, "zzz")).hint, /disco jobs/);
  assert.equal(refusal(() => selectJobs(jobs, ["hamlet@1:1:2"])).hint, "Did you mean hamlet@1:1:1?");
});

test("what changes jobs takes a short name only where one job begins so", () => {
  assert.deepEqual(selectJobs(jobs, ["counter"]), { names: ["counter@1:4:1"], guessed: true });
  assert.deepEqual(
    refusal(() => selectJobs(jobs, ["hamlet"])),
    { code: "ambiguous-name", hint: "Type more of the name; 'hamlet*' means all of them." },
  );
  assert.deepEqual(selectJobs(jobs, ["hamlet@1:1:1"]), { names: ["hamlet@1:1:1"], guessed: false });
});

test("a pattern means those of its matches that the command is for, each once", () => {
  const ended = ({ status }: JobListEntry): boolean => status !== "active";
  assert.deepEqual(selectJobs(jobs, ["h*", "*", "count@1:3:1"], { mayMatch: ended }), {
    names: ["hamlet@1:1:1", "counter@1:4:1", "count@1:3:1"],
    guessed: true,
  });
  assert.deepEqual(selectJobs(jobs, ["hamlet@1:2:?"], { mayMatch: ended }).names, []);
  assert.deepEqual(
    selectJobs(jobs, ["hamlet@1:2:1"], { mayMatch: ended }).names,
    ["hamlet@1:2:1"],
    "a job that is named is meant",
  );
  assert.equal(refusal(() => selectJobs(jobs, ["x*"])).code, "unknown-job");
});

test("a short name of several jobs can mean the only one that the command is for", () => {
  const active = { mayMatch: ({ status }: JobListEntry) => status === "active", narrows: true };
  assert.deepEqual(selectJobs(jobs, ["hamlet"], active), { names: ["hamlet@1:2:1"], guessed: true });
  assert.deepEqual(selectJobs(jobs, ["count"], active).names, [], "all of them have ended");
  assert.deepEqual(
    selectJobs(jobs, ["counter"], active).names,
    ["counter@1:4:1"],
    "the only one is meant whatever it is",
  );
  const again = [...jobs, { name: "hamlet@1:5:1", status: "active", submittedAt: 9 } as JobListEntry];
  assert.equal(refusal(() => selectJobs(again, ["hamlet"], active)).code, "ambiguous-name");
});

test("patterns are those of shells", () => {
  const cases: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
    ["a*", "abc@1:2:3", true],
    ["*:3", "abc@1:2:3", true],
    ["a?c@*", "abc@1:2:3", true],
    ["a?c", "ac", false],
    ["[ab]c", "bc", true],
    ["[!ab]c", "bc", false],
    ["[a-c]x", "bx", true],
    ["[]x]y", "]y", true],
    ["a.c", "abc", false],
    ["(a|b)", "a", false],
  ];
  for (const [pattern, name, matches] of cases)
    assert.equal(patternOf(pattern).test(name), matches, `${pattern} ${name}`);
  for (const wrong of ["[", "a[", "[]", "[!]", "[z-a]"]) {
    assert.equal(refusal(() => patternOf(wrong)).code, "bad-argument", wrong);
  }
});

test("every name matches itself, and itself with any part replaced by a star", () => {
  const text = fc.string({ unit: fc.constantFrom(..."abc_@:0.()+^$|\\") });
  fc.assert(
    fc.property(text, text, text, (before, middle, after) => {
      assert.ok(patternOf(before + middle + after).test(before + middle + after));
      assert.ok(patternOf(`${before}*${after}`).test(before + middle + after));
    }),
  );
});
