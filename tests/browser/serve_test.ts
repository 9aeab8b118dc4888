/** The server and the command around it. */

import assert from "node:assert/strict";
import { readFolders } from "../../book/build.ts";
import { listen, readPort } from "../../book/serve.ts";
import { serveFolder } from "../../book/site.ts";

/** A folder with one page, and a file beside it that must not be seen. */
async function withFolder(
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const top = Deno.makeTempDirSync({ prefix: "swaplab-serve-" });
  const folder = `${top}/site`;
  Deno.mkdirSync(`${folder}/theme`, { recursive: true });
  Deno.writeTextFileSync(`${top}/secret.html`, "secret");
  Deno.writeTextFileSync(`${folder}/.hidden`, "secret");
  Deno.writeTextFileSync(`${folder}/index.html`, "<p>cover</p>");
  Deno.writeTextFileSync(`${folder}/theme/book.css`, "p {}");
  try {
    await use(folder);
  } finally {
    Deno.removeSync(top, { recursive: true });
  }
}

Deno.test("serveFolder() answers with the file and its type", async () => {
  await withFolder(async (folder) => {
    const get = (path: string, method = "GET") =>
      serveFolder(folder, new Request(`http://host${path}`, { method }));
    const cover = await get("/");
    assert.equal(cover.status, 200);
    assert.equal(cover.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(await cover.text(), "<p>cover</p>");
    const css = await get("/theme/book.css");
    assert.equal(css.headers.get("content-type"), "text/css; charset=utf-8");
    await css.body?.cancel();
    const head = await get("/index.html", "HEAD");
    assert.equal(head.headers.get("content-length"), "12");
    assert.equal(await head.text(), "");
    assert.equal((await get("/nothing.html")).status, 404);
    assert.equal((await get("/theme")).status, 404);
    assert.equal((await get("/", "POST")).status, 405);
  });
});

Deno.test("serveFolder() never leaves the folder", async () => {
  await withFolder(async (folder) => {
    const paths = [
      "/..%2fsecret.html",
      "/theme/..%2f..%2fsecret.html",
      "/%2e%2e%2fsecret.html",
      "/..%5csecret.html",
      "/.hidden",
      "/index.html%00.css",
      "/%",
      "//secret.html",
    ];
    for (const path of paths) {
      const request = new Request(`http://host${path}`);
      const answer = await serveFolder(folder, request);
      assert.ok(answer.status >= 400, path);
      assert.doesNotMatch(await answer.text(), /^secret$/, path);
    }
  });
});

Deno.test("readPort() takes a port and refuses nonsense in words", () => {
  assert.equal(readPort([]), 8000);
  assert.equal(readPort(["--port", "9000"]), 9000);
  assert.equal(readPort(["--port=9000"]), 9000);
  const wrong = [
    ["--port"],
    ["--port", "abc"],
    ["--port", "0"],
    ["--port", "65536"],
    ["--port", "8e3"],
    ["--port", "9000", "x"],
    ["9000"],
  ];
  for (const args of wrong) {
    assert.throws(() => readPort(args), {
      name: "RangeError",
      message: /wanted --port N/,
    });
  }
});

Deno.test("listen() takes the next port when one is taken", async () => {
  await withFolder(async (folder) => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const lines: string[] = [];
    const server = listen(folder, port, (line) => lines.push(line));
    assert.ok(server.addr.port > port);
    assert.match(lines.join("\n"), new RegExp(`port ${port} is taken`));
    const address = /http:\S+/.exec(lines.join("\n"))![0];
    const answer = await fetch(address);
    assert.equal(await answer.text(), "<p>cover</p>");
    taken.close();
    await server.shutdown();
  });
});

Deno.test("readFolders() takes two folders and refuses nonsense", () => {
  const { notebooks, out } = readFolders(["--out", "a", "--notebooks", "b"]);
  assert.deepEqual([notebooks, out], ["b", "a"]);
  assert.throws(() => readFolders(["--out"]), RangeError);
  assert.throws(() => readFolders(["--colour", "red"]), RangeError);
});
