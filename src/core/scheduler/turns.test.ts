import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Turns } from "./turns.ts";

interface Player {
  readonly member: number;
  readonly rank: number;
  key: number;
}

type Step =
  | { readonly kind: "put" | "delete"; readonly who: number; readonly key: number }
  | { readonly kind: "rekey" };

const membersMax = 40;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("put" as const), who: fc.nat(membersMax - 1), key: fc.nat(9) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), who: fc.nat(membersMax - 1), key: fc.nat(0) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "rekey" as const }) },
);

const before = (a: Player, b: Player): number => a.key - b.key || a.rank - b.rank;

function play(steps: readonly Step[], players: readonly Player[], turns: Turns): Set<Player> {
  const present = new Set<Player>();
  for (const one of steps) {
    if (one.kind === "rekey") {
      for (const player of present) player.key = (player.key * 7 + player.rank) % 10;
      turns.rekey((member) => (players[membersMax - 1 - member] as Player).key);
    } else {
      const player = players[one.who] as Player;
      if (one.kind === "put") {
        player.key = one.key;
        turns.put(player.member, player.rank, one.key);
        present.add(player);
      } else {
        turns.delete(player.member);
        present.delete(player);
      }
    }
    const [least] = [...present].sort(before);
    assert.equal(turns.first(), least?.member ?? -1);
    assert.equal(turns.size, present.size);
  }
  return present;
}

test("whatever happens, the member with the smallest key is first, of equal keys that with the lowest rank", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const players = Array.from({ length: membersMax }, (_, rank) => ({
        member: membersMax - 1 - rank,
        rank,
        key: 0,
      }));
      const turns = new Turns();
      const left = [...play(steps, players, turns)].sort(before);
      for (const player of players) assert.equal(turns.has(player.member), left.includes(player));
      for (const player of left) {
        assert.equal(turns.first(), player.member);
        turns.delete(player.member);
      }
      assert.equal(turns.first(), -1);
    }),
  );
});
