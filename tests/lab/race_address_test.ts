import assert from "node:assert/strict";
import { litmusTests } from "swaplab/lab/litmus/mod.ts";
import {
  parseRaceHash,
  raceAt,
  raceCommand,
  raceHash,
} from "swaplab/lab/race_address.ts";
import { raceText } from "swaplab/lab/race_text.ts";
import { parseRaceOptions } from "swaplab/race/options.ts";

const lost = "race=planted-lost-update&variant=no+lock";

Deno.test("an address names each variant, and reads back as it was", () => {
  for (const { name: litmus, variants } of litmusTests) {
    for (const variant of Object.keys(variants)) {
      const proposals = { skip_if_exists: "off" } as const;
      const address = { litmus, variant, proposals, schedule: "A3B12A" };
      assert.deepEqual(parseRaceHash(`#${raceHash(address)}`), address);
      assert.match(raceHash(address), /^[!-~]+$/);
    }
  }
});

Deno.test("the command that an address stands for asks for the same", () => {
  const address = parseRaceHash(`${lost}&schedule=A1B4A`);
  const line = raceCommand(address);
  assert.equal(
    line,
    'deno task race planted-lost-update --variant "no lock" --replay A1B4A',
  );
  const { subject, variant, replay } = parseRaceOptions(
    ["planted-lost-update", "--variant", "no lock", "--replay", "A1B4A"],
  );
  assert.deepEqual(
    [subject, variant, replay],
    [address.litmus, address.variant, address.schedule],
  );
});

Deno.test("an address with a schedule is that one run, told and drawn", () => {
  const broken = raceText(raceAt(`${lost}&schedule=A1B4A`));
  assert.match(broken, /BROKEN \(one run, 8 steps\)/);
  assert.match(broken, /invariant: Invariant broken: 2 of 4 updates/);
  assert.match(broken, /^CPU0 +CPU1\ncountUp\(\)/m);
  const holds = raceText(raceAt(`${lost}&schedule=A4B`));
  assert.match(holds, /holds \(one run, 8 steps\)\n {2}counted 4\n/);
  assert.match(holds, /^CPU0 +CPU1\ncountUp\(\)/m);
});

Deno.test("an address without a schedule is searched", () => {
  const text = raceText(raceAt(lost));
  assert.match(text, /BROKEN \(searched all interleavings, 34 runs\)/);
});

Deno.test("what does not fit is refused with the step, or with the word", () => {
  const wrong: [string, RegExp][] = [
    [`${lost}&schedule=A1B9A`, /ceases to fit at step 6: B cannot go on/],
    [`${lost}&schedule=C1A`, /ceases to fit at step 1: C cannot go on, there/],
    [`${lost}&schedule=A1B4A9`, /to fit: after 8 steps it is over: Inv/],
    [`${lost}&schedule=A4B9`, /ceases to fit: all have ended after 8 steps/],
    [`${lost}&schedule=A1+B`, /wanted a letter and a number, got " B" at 2/],
    ["race=nothing", /No litmus test "nothing"; there are/],
    ["race=planted-lost-update&variant=x", /no variant "x"; it has v6.12/],
    [`${lost}&set=skip_if_exists=maybe`, /skip_if_exists is one of off, on/],
    [`${lost}&seed=1`, /wanted race, variant, set, schedule; got "seed"/],
    ["schedule=A", /no race= in it/],
  ];
  for (const [hash, message] of wrong) {
    assert.throws(() => raceAt(hash), { message });
  }
});
