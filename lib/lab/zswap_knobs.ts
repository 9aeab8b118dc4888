/**
 * zswap's parameters of a running machine. Ours; what it turns are the files
 * of /sys/module/zswap/parameters.
 *
 *   setZswap(machine, { compressor: "deflate", zpool: "zsmalloc" });
 */
import {
  zswap_compressor_param_set,
  zswap_enabled_param_set,
  zswap_zpool_param_set,
} from "../mm/zswap_param.ts";
import { type Machine, swapper } from "./machine.ts";
import { settleZswap, type ZswapSettings } from "./options.ts";

/** Everything but the shape of zsmalloc's classes, which is compiled in. */
export type ZswapKnobs = Omit<ZswapSettings, "chainSize">;

/**
 * setZswap() - turn the knobs that are given; the others stay.
 *
 * What is stored stays where it is. Throws RangeError or TypeError, and
 * changes nothing, for a value that makes no sense.
 */
export function setZswap(machine: Machine, knobs: ZswapKnobs): void {
  if (Object.hasOwn(knobs, "chainSize")) {
    throw new TypeError("zswap.chainSize: can be set only by makeMachine()");
  }
  const { k } = machine;
  const { zswap } = k;
  const wanted = settleZswap({
    enabled: zswap.enabled,
    compressor: zswap.compressor,
    zpool: zswap.zpool,
    maxPoolPercent: zswap.max_pool_percent,
    acceptThresholdPercent: zswap.accept_threshold_percent,
    shrinkerEnabled: zswap.shrinker_enabled,
    ...knobs,
  });
  zswap.max_pool_percent = wanted.maxPoolPercent;
  zswap.accept_threshold_percent = wanted.acceptThresholdPercent;
  zswap.shrinker_enabled = wanted.shrinkerEnabled;
  machine.run(zswap_compressor_param_set(k, wanted.compressor), swapper);
  machine.run(zswap_zpool_param_set(k, wanted.zpool), swapper);
  if (wanted.enabled !== zswap.enabled) {
    zswap_enabled_param_set(k, wanted.enabled);
  }
}
