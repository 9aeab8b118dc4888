import assert from "node:assert/strict";
import { type Era, linux } from "swaplab/eras.ts";
import { type ProposalId, proposals, v6_12 } from "swaplab/proposals.ts";

const ids = Object.keys(proposals) as ProposalId[];

Deno.test("every switch of v6.12 is told, and its value is what Linux took", () => {
  assert.deepEqual([...ids].sort(), Object.keys(v6_12).sort());
  for (const id of ids) {
    const values = proposals[id].values as Record<string, { status: string }>;
    const choice = values[v6_12[id]];
    assert.ok(choice, `${id}: "${v6_12[id]}" is not told`);
    assert.equal(choice.status, "merged", `${id}: ${v6_12[id]}`);
    assert.ok(Object.keys(values).length >= 2, `${id} leaves no choice`);
  }
});

Deno.test("each switch has its seam where the table says", async () => {
  for (const id of ids) {
    for (const file of proposals[id].seam) {
      const url = new URL(`../lib/${file}`, import.meta.url);
      const text = await Deno.readTextFile(url);
      assert.match(text, new RegExp(`\\b${id}\\b`), `${id} in lib/${file}`);
    }
  }
});

Deno.test("linux() gives a release's switches, and refuses others", () => {
  assert.deepEqual(linux("6.12").proposals, v6_12);
  assert.equal(linux("6.1").proposals.sync_swapin_pin, "has_cache");
  assert.equal(linux("6.6").proposals.sync_swapin_pin, "none");
  assert.equal(linux("6.6").proposals.zswap_lru, "pool");
  assert.equal(linux("6.8").proposals.zswap_lru, "memcg");
  assert.equal(linux("6.8").proposals.exclusive_loads, "off");
  assert.ok(linux("6.1").notModelled.length > 0);
  assert.throws(() => linux("5.4" as Era), /wanted one of 6\.1, 6\.6/);
});
