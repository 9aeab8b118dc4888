/** A folder over HTTP: GET and HEAD of the files in it, nothing else. */

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ipynb: "application/x-ipynb+json; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
};

/** serveFolder() - the answer to one request; never leaves the folder. */
export async function serveFolder(
  folder: string,
  request: Request,
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(405, "Only GET and HEAD are answered here.");
  }
  const name = nameOf(new URL(request.url).pathname);
  if (name === null) return refuse(400, "This address cannot be read.");
  const bytes = await readWhole(`${folder}/${name}`);
  if (bytes === null) {
    return refuse(404, `There is no ${name} in this book.`);
  }
  const ending = /\.(\w+)$/.exec(name)?.[1] ?? "";
  return new Response(request.method === "HEAD" ? null : bytes, {
    headers: {
      "content-type": TYPES[ending] ?? "application/octet-stream",
      "content-length": String(bytes.length),
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    },
  });
}

/** The file that a path names; null for a path that is none or climbs out. */
function nameOf(path: string): string | null {
  const decoded = decode(path);
  if (decoded === null || /[\0\\]/.test(decoded)) return null;
  const parts = decoded.split("/").filter((part) => part !== "");
  if (parts.some((part) => part.startsWith("."))) return null;
  if (decoded.endsWith("/")) parts.push("index.html");
  return parts.join("/");
}

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null; // A lone % is no address of ours.
  }
}

async function readWhole(
  path: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const info = await Deno.stat(path);
    return info.isFile ? await Deno.readFile(path) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

function refuse(status: number, sentence: string): Response {
  return new Response(sentence + "\n", {
    status,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}
