import assert from "node:assert/strict";
import { applyPatch, PatchError } from "swaplab/grade/patch.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";

const path = "exercises/x/a.ts";
const original = "one\ntwo\nthree\nfour\nfive\n";
const hunk = "@@ -2,3 +2,3 @@ one\n two\n-three\n+3\n four\n";
const names = `--- a/${path}\n+++ b/${path}\n`;
const git = `diff --git a/${path} b/${path}\nindex 0123abc..4567def 100644\n`;
const wanted = "one\ntwo\n3\nfour\nfive\n";

function accepts(name: string, patch: string, result = wanted): void {
  Deno.test(`applyPatch() takes ${name}`, () => {
    assert.equal(applyPatch(patch, path, original), result);
  });
}

function refuses(name: string, patch: string, why: RegExp): void {
  Deno.test(`applyPatch() refuses ${name}`, () => {
    assert.throws(() => applyPatch(patch, path, original), (thrown) => {
      assert.ok(thrown instanceof PatchError, String(thrown));
      assert.match(thrown.message, why);
      return true;
    });
  });
}

accepts("git diff", git + names + hunk);
accepts("diff -u", `--- ${path}\t2026-11-21\n+++ ${path}\t2026\n${hunk}`);
accepts("CRLF", (git + names + hunk).replaceAll("\n", "\r\n"));
accepts(
  "git format-patch",
  `From 0123 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n---\n a.ts | 2 +-\n` +
    `\n${git}${names}${hunk}-- \n2.39.5\n\n`,
);
accepts("a hunk that moved", git + names + hunk.replace("-2,3", "-4,3"));
accepts(
  "a file that ends without a newline",
  names + "@@ -5 +5 @@\n-five\n+5\n\\ No newline at end of file\n",
  "one\ntwo\nthree\nfour\n5",
);
accepts(
  "new lines without context",
  names + "@@ -2,0 +3,2 @@\n+a\n+b\n",
  "one\ntwo\na\nb\nthree\nfour\nfive\n",
);

refuses("an empty file", "", /no patch/);
refuses("garbage", "hello\nworld\n", /no patch/);
refuses("another file", git.replaceAll("a.ts", "b.ts"), /Line 1 .*only/);
refuses(
  "names that disagree",
  git + `--- a/${path}\n+++ b/../../x.ts\n${hunk}`,
  /Line 4 .*wanted "\+\+\+ b/,
);
refuses(
  "a second file",
  git + names + hunk + "diff --git a/x b/x\n",
  /one file/,
);
refuses("the same file twice", git + names + hunk + git, /one file/);
for (
  const line of [
    "old mode 100644",
    "new file mode 120000",
    "deleted file mode 100644",
    "rename from solutions/a.ts",
    "copy from solutions/a.ts",
    "similarity index 90%",
    "index 0123abc..4567def 100755",
    "GIT binary patch",
  ]
) {
  const patch = `diff --git a/${path} b/${path}\n${line}\n${names}${hunk}`;
  refuses(`"${line}"`, patch, /Line 2 .*plain text file/);
}
refuses("a stale base", names + hunk.replace(" two", " zwei"), /does not fit/);
refuses(
  "a patch that is cut off",
  names + "@@ -2,9 +2,9 @@\n two\n",
  /wanted a line|ends within/,
);
refuses("a hunk that is too long", names + hunk + "+more\n", /hunk or the end/);
refuses("hunks out of order", names + hunk + "@@ -1 +1 @@\n-one\n+1\n", /fit/);
refuses("overlapping hunks", names + hunk + hunk, /does not fit/);
refuses("a huge count", names + "@@ -1,99999999 +1 @@\n x\n", /wanted @@/);
refuses(
  "a combined diff",
  `diff --cc ${path}\n@@@ -1,1 -1,1 +1,1 @@@\n`,
  /only/,
);

/** A hunk for everything: the old file out, the new one in. */
function rewrite(before: readonly string[], after: readonly string[]): string {
  const head = `@@ -1,${before.length} +1,${after.length} @@\n`;
  const out = before.map((line) => `-${line}\n`).join("");
  return names + head + out + after.map((line) => `+${line}\n`).join("");
}

function randomLines(rng: Rng): string[] {
  const words = ["", "-", "+x", "@@ -1 +1 @@", "-- ", "diff --git", "\\ No"];
  return Array.from(
    { length: 1 + nextBelow(rng, 8) },
    () => words[nextBelow(rng, words.length)]!,
  );
}

Deno.test("applyPatch() is exact for lines that look like a patch", () => {
  const rng = makeRng(20261121);
  for (let round = 0; round < 300; round++) {
    const before = randomLines(rng);
    const after = randomLines(rng);
    const text = (lines: string[]) => lines.map((l) => `${l}\n`).join("");
    const patch = rewrite(before, after);
    assert.equal(applyPatch(patch, path, text(before)), text(after));
  }
});

Deno.test("applyPatch() ends in a result or a PatchError, whatever comes", () => {
  const rng = makeRng(7);
  const patch = git + names + hunk;
  for (let round = 0; round < 500; round++) {
    const at = nextBelow(rng, patch.length);
    const drop = nextBelow(rng, 12);
    const extra = ["", "\n", "@@", "-", "+", " ", "\\", "9"][nextBelow(rng, 8)];
    const broken = patch.slice(0, at) + extra + patch.slice(at + drop);
    try {
      assert.equal(typeof applyPatch(broken, path, original), "string");
    } catch (thrown) {
      assert.ok(thrown instanceof PatchError, `${round}: ${thrown}`);
    }
  }
});
