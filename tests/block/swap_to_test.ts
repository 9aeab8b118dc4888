/** Each device as a swap device, under a machine that checks everything. */
import assert from "node:assert/strict";
import type { BlockDevice } from "swaplab/block/bio.ts";
import { makeBrd } from "swaplab/block/brd.ts";
import { makeHdd } from "swaplab/block/hdd.ts";
import { mmStat } from "swaplab/block/zram.ts";
import type { Zram } from "swaplab/block/zram_table.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import { makeZramDevice } from "swaplab/lab/zram_device.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { sys_swapon } from "swaplab/mm/swapon.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { noFaults } from "./helpers.ts";

const devices: Record<string, (k: Kernel) => BlockDevice> = {
  hdd: (k) => makeHdd({ pages: 512, ...noFaults }, k.clock, makeRng(2)),
  brd: (k) => makeBrd({ pages: 512 }, k.clock),
  // So small that no freed slots wait in a cache and keep their pages.
  zram: (k) => makeZramDevice(k, { pages: 300 }),
};

for (const [name, make] of Object.entries(devices)) {
  for (const enabled of [false, true]) {
    const way = enabled ? "behind zswap" : "alone";
    Deno.test(`every page comes back from ${name}, ${way}`, () => {
      const zswap = { enabled };
      const options = { frames: 128, swap: false, debug: true, zswap } as const;
      const machine = makeMachine(options);
      const device = make(machine.k);
      sys_swapon(machine.k, device);
      // What zram keeps, it keeps in the same 128 frames.
      const pages = name === "zram" ? 135 : 220;
      const program = machine.spawn({ pages });
      program.fill(makePageSource("text", 1));
      const rng = makeRng(6);
      for (let i = 0; i < 600; i++) program.read(nextBelow(rng, pages));
      assert.ok(enabled || device.stats.reads > 100);
      if (name === "zram" && !enabled) {
        const stat = mmStat(device as Zram);
        assert.ok(stat.compr_data_size < stat.orig_data_size);
      }
      machine.settle();
    });
  }
}
