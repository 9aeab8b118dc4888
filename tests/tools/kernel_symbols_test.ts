import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { counterpartsOf, definedIn } from "../../tools/kernel_symbols.ts";

const definitions: Record<string, [name: string, text: string]> = {
  "a macro": ["SWAP_HAS_CACHE", "#define SWAP_HAS_CACHE\t0x40"],
  "a function": ["f", "static inline int f(int a,\n\t\tint b)\n{\n}"],
  "a function below its type": ["f", "static struct x *\nf(int a)\n{"],
  "a function that returns a pointer": ["f", "struct folio *f(void)\n{"],
  "an enumerator": ["B", "enum x {\n\tA,\n\tB = 1 << 2,\n\tC\n};"],
  "the last enumerator": ["C", "enum { A, B, C };"],
  "a variable": ["n", "static u64 n;"],
  "an array": ["swap_info", "struct s *swap_info[MAX];"],
  "a per-cpu variable": ["pages", "static DEFINE_PER_CPU(int, pages);"],
  "a page flag's test": [
    "folio_test_uptodate",
    "PAGEFLAG(Uptodate, uptodate, PF_NO_TAIL)",
  ],
};

for (const [what, [name, text]] of Object.entries(definitions)) {
  Deno.test(`definedIn() knows ${what}`, () => {
    strictEqual(definedIn(name, text), "definition");
  });
}

const others: Record<string, [name: string, text: string]> = {
  "a call": ["f", "int g(void)\n{\n\tif (f(1)) {\n\t}\n\tf(2);\n}"],
  "a use in another macro": ["X", "#define Y X"],
  "an argument": ["B", "int g(void)\n{\n\th(A,\n\t  B,\n\t  C);\n}"],
  "a longer name": ["f", "int my_f(void)\n{\n}\nint f_too(void)\n{\n}"],
  "another page flag": ["folio_test_dirty", "PAGEFLAG(Lru, lru, PF_HEAD)"],
};

for (const [what, [name, text]] of Object.entries(others)) {
  Deno.test(`definedIn() does not fall for ${what}`, () => {
    strictEqual(definedIn(name, text), null);
  });
}

Deno.test("definedIn() tells a declaration from a definition", () => {
  strictEqual(definedIn("f", "extern int f(int a);"), "declaration");
});

Deno.test("counterpartsOf() reads the files in a head comment", () => {
  const head = "/**\n * Text mm/other.c.\n *\n" +
    " * Kernel: mm/swapfile.c, swap.h,\n * include/linux/swap.h (v6.12).\n" +
    " * Differs: no mm/hugetlb.c.\n */";
  deepStrictEqual(counterpartsOf(head), [
    "mm/swapfile.c",
    "mm/swap.h",
    "include/linux/swap.h",
  ]);
  deepStrictEqual(counterpartsOf("/** Ours: mm/swapfile.c has none. */"), []);
});
