import assert from "node:assert/strict";
import { makeStepParser } from "swaplab/lab/diagram_step.ts";
import {
  DiagramError,
  formatColumns,
  parseColumns,
} from "swaplab/lab/diagram_text.ts";

function flat(text: string): string[] {
  const { heads, cells } = parseColumns(text);
  return cells.map(({ column, indent, text }) =>
    `${heads[column]}+${indent}: ${text}`
  );
}

const plain = [
  "CPU0                    CPU1",
  "do_swap_page()",
  "    zswap_load()",
  "                        swap_free()",
  "spin_lock(ptl)          spin_unlock(ptl)",
].join("\n");

const cells = [
  "CPU0+0: do_swap_page()",
  "CPU0+4: zswap_load()",
  "CPU1+0: swap_free()",
  "CPU0+0: spin_lock(ptl)",
  "CPU1+0: spin_unlock(ptl)",
];

Deno.test("columns: a step belongs to the head it stands under", () => {
  assert.deepEqual(flat(plain), cells);
});

Deno.test("columns: quoted, with tabs, bars, a ruler, blank lines, CRLF", () => {
  const variants = {
    quoted: plain.replaceAll(/^/gm, "> > "),
    answered: plain.replaceAll(/^/gm, ">>> "),
    tabs: [
      "CPU0\t\t\tCPU1",
      "do_swap_page()",
      "    zswap_load()",
      "\t\t\tswap_free()",
      "spin_lock(ptl)\t\tspin_unlock(ptl)",
    ].join("\n"),
    ruler: plain.replace("\n", "\n----                    ----\n"),
    blank: plain.replaceAll("\n", "\n\n"),
    crlf: plain.replaceAll("\n", "\r\n"),
    bars: plain.replaceAll(/^(.{22}) {2}/gm, "$1| "),
    prose: `The race is this:\n\n${plain}`,
  };
  for (const [name, text] of Object.entries(variants)) {
    assert.deepEqual(flat(text), cells, name);
  }
});

Deno.test("columns: heads of several shapes", () => {
  const heads = (line: string) => parseColumns(`${line}\nf()`).heads;
  assert.deepEqual(heads("CPU 0        CPU 1"), ["CPU 0", "CPU 1"]);
  assert.deepEqual(heads("T1    T2    T3"), ["T1", "T2", "T3"]);
  assert.deepEqual(heads("kswapd0       task A"), ["kswapd0", "task A"]);
  assert.deepEqual(heads("CPU0  | CPU1"), ["CPU0", "CPU1"]);
  assert.deepEqual(heads("CPU0"), ["CPU0"]);
});

Deno.test("columns: the diagram of thread 002, as it was mailed", () => {
  const found = flat([
    ">> CPU0                            CPU1",
    ">> zswap_lru_add()                 mem_cgroup_css_offline()",
    ">>     get_mem_cgroup_from_objcg()",
    ">>                                     memcg_offline_kmem()",
    ">>                                         memcg_reparent_objcgs()",
    ">>     list_lru_add()",
  ].join("\n"));
  assert.deepEqual(found, [
    "CPU0+0: zswap_lru_add()",
    "CPU1+0: mem_cgroup_css_offline()",
    "CPU0+4: get_mem_cgroup_from_objcg()",
    "CPU1+4: memcg_offline_kmem()",
    "CPU1+8: memcg_reparent_objcgs()",
    "CPU0+4: list_lru_add()",
  ]);
});

Deno.test("columns: an error names line and column and shows the line", () => {
  assert.throws(() => parseColumns("nothing here"), (error) => {
    assert.ok(error instanceof DiagramError);
    assert.equal(error.line, 1);
    assert.match(error.message, /line 1, column 1: wanted a line of heads/);
    assert.match(error.message, /nothing here\n {2}\^$/);
    return true;
  });
  assert.throws(() => parseColumns("CPU0     CPU1\n\n"), /no step stands/);
});

Deno.test("columns: written, they are read as they were", () => {
  const heads = ["CPU0", "CPU1", "kswapd0"];
  const lines = [
    { column: 0, indent: 0, text: "do_swap_page()" },
    { column: 1, indent: 2, text: "swap_free()" },
    { column: 2, indent: 0, text: "shrink_node()" },
    { column: 0, indent: 2, text: "[preempted before spin_lock(ptl)]" },
  ];
  const text = formatColumns(heads, lines);
  for (const line of text.split("\n")) assert.ok(line.length <= 76, line);
  const { heads: read, cells } = parseColumns(text);
  assert.deepEqual(read, heads);
  assert.deepEqual(
    cells.slice(0, 3).map(({ column, indent, text }) => ({
      column,
      indent,
      text,
    })),
    lines.slice(0, 3),
  );
});

Deno.test("columns: a long name makes its column begin further left", () => {
  const heads = ["CPU0", "CPU1", "CPU2"];
  const lines = heads.map((_, column) => ({
    column,
    indent: 2,
    text: `a_function_with_a_long_name_${column}()`,
  }));
  const text = formatColumns(heads, lines);
  for (const line of text.split("\n")) assert.ok(line.length <= 76, line);
  const { cells } = parseColumns(text);
  assert.deepEqual(cells.map(({ column }) => column), [0, 1, 2]);
});

Deno.test("steps: calls, stops and remarks, as people write them", () => {
  const step = makeStepParser();
  const call = (name: string, args = "") => ({ does: "call", name, args });
  const stop = (before: string, nth: number, at = "before") => ({
    does: "stop",
    at,
    before,
    nth,
  });
  const remark = { does: "remark" };
  const table: [string, object][] = [
    ["zswap_load()", call("zswap_load")],
    ["zswap_load", call("zswap_load")],
    ["spin_lock(&tree->lock);", call("spin_lock", "&tree->lock")],
    ["folio = filemap_get_folio() // cached", call("filemap_get_folio")],
    ["swap_free(entry) = 0", call("swap_free", "entry")],
    ["pte_same() -> true", call("pte_same")],
    ["do_swap_page() (direct swapin)", call("do_swap_page")],
    ["[preempted]", stop("", 1)],
    ["[preempted before spin_lock(ptl)]", stop("spin_lock(ptl)", 1)],
    ["[preempted before xa_load(x) (2nd)]", stop("xa_load(x)", 2)],
    ["[preempted before spin_lock(a[0].b)]", stop("spin_lock(a[0].b)", 1)],
    ["[preempted before x(a[0]) (3rd)]", stop("x(a[0])", 3)],
    ["[waits at spin_lock(ptl)]", stop("spin_lock(ptl)", 1, "wait")],
    ["[ends]", stop("", 1, "end")],
    ["...", remark],
    ["<interrupt>", remark],
    ["/* nobody looks */", remark],
    ["// so it is", remark],
    ["the slot is free now", remark],
  ];
  for (const [text, expected] of table) {
    assert.deepEqual(step(text), expected, text);
  }
});
