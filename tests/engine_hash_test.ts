import assert from "node:assert/strict";
import { engineHash, hashOfLib, sha256 } from "swaplab/engine_hash.ts";

Deno.test("hashOfLib() is one SHA-256 and stays", async () => {
  const hash = await hashOfLib();
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(await hashOfLib(), hash);
});

Deno.test("engineHash() is its first twelve digits", async () => {
  assert.equal(await engineHash(), (await hashOfLib()).slice(0, 12));
});

Deno.test("sha256() is the well-known function", async () => {
  const wanted =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(await sha256("abc"), wanted);
  assert.equal(await sha256(new TextEncoder().encode("abc")), wanted);
});
