/**
 * zswap's parameters, as written to /sys/module/zswap/parameters.
 *
 * A new compressor or allocator takes effect for the next store; what is
 * stored already stays where it is and can be loaded. max_pool_percent,
 * accept_threshold_percent and shrinker_enabled are plain numbers of
 * `ZswapState`: nothing happens when they change.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; an unknown name
 * is refused before zswap_setup(), too, so there is no fall-back to a default.
 */
import { ENOENT, ENOMEM, type Errno } from "../base/errno.ts";
import { list_add, list_add_tail, list_del } from "../base/list.ts";
import { percpu_ref_kill, percpu_ref_resurrect } from "../base/percpu_ref.ts";
import { crypto_has_acomp } from "../crypto/acomp.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { failsNow } from "./fault_inject.ts";
import type { Kernel } from "./mm_types.ts";
import { zpool_has_pool } from "./zpool.ts";
import { zswap_setup } from "./zswap.ts";
import {
  zswap_pool_create,
  zswap_pool_current,
  zswap_pool_find_get,
  zswap_pool_put,
  type ZswapPool,
} from "./zswap_pool.ts";

type PoolParameter = "compressor" | "zpool";

/**
 * Take the compressor `name` from now on.
 *
 * @returns 0; -ENOENT if there is none of that name (the current one stays);
 *   -ENOMEM if the name could not be kept (likewise)
 */
export function zswap_compressor_param_set(
  k: Kernel,
  name: string,
): Task<Errno> {
  return __zswap_param_set(k, "compressor", name);
}

/** Take the allocator `name` from now on; as zswap_compressor_param_set(). */
export function zswap_zpool_param_set(k: Kernel, name: string): Task<Errno> {
  return __zswap_param_set(k, "zpool", name);
}

/**
 * zswap_enabled_param_set() - store pages, or store no more.
 *
 * What is stored stays: it can be loaded and written back. The first time, the
 * first pool is made.
 *
 * @returns 0
 */
export function zswap_enabled_param_set(k: Kernel, enabled: boolean): Errno {
  if (!k.zswap.initialized) zswap_setup(k);
  k.zswap.enabled = enabled;
  return 0;
}

function* __zswap_param_set(
  k: Kernel,
  parameter: PoolParameter,
  name: string,
): Task<Errno> {
  const { zswap } = k;
  const exists = parameter === "zpool" ? zpool_has_pool : crypto_has_acomp;
  if (zswap.initialized && zswap[parameter] === name) return 0;
  if (!exists(name)) return -ENOENT;
  if (!zswap.initialized) return saveParameter(k, parameter, name);

  const type = parameter === "zpool" ? name : zswap.zpool;
  const compressor = parameter === "zpool" ? zswap.compressor : name;
  const change = makeOp("write", "spin_lock(zswap_pools_lock)", zswap.pools);
  yield* pause(change);
  const old = zswap_pool_find_get(k, type, compressor);
  if (old !== null) list_del(old.list);
  const pool = old ?? zswap_pool_create(k, type, compressor);
  if (old !== null) {
    // The kill of its demotion is undone; find_get()'s reference goes.
    percpu_ref_resurrect(old.ref);
    zswap_pool_put(old);
  }
  const result = saveParameter(k, parameter, name);
  yield* pause(change);
  replaceCurrent(k, pool, result === 0);
  return result;
}

/** The pool goes to the front, or to the back as one that is given up. */
function replaceCurrent(k: Kernel, pool: ZswapPool, isWanted: boolean): void {
  const { pools } = k.zswap;
  const former = isWanted ? zswap_pool_current(k) : pool;
  if (isWanted) list_add(pool.list, pools);
  else list_add_tail(pool.list, pools);
  if (former !== null) percpu_ref_kill(former.ref);
}

/** Keep the name for readers of the parameter. (Linux: param_set_charp().) */
function saveParameter(
  k: Kernel,
  parameter: PoolParameter,
  name: string,
): Errno {
  if (failsNow(k, "zswapParameters")) return -ENOMEM;
  k.zswap[parameter] = name;
  return 0;
}
