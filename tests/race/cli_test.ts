import assert from "node:assert/strict";
import { litmusTests } from "swaplab/lab/litmus/mod.ts";
import { main } from "swaplab/race/cli.ts";

/** Run the command; `files` are what it can read. */
async function race(
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string }> {
  let text = "";
  const code = await main(args, {
    print: (more) => void (text += more),
    read: (path) =>
      path in files
        ? Promise.resolve(files[path]!)
        : Promise.reject(new TypeError(`No litmus test and no file "${path}"`)),
  });
  return { code, text };
}

const aba = "sync-swapin-aba";
const lost = "planted-lost-update";
const noPin = "sync_swapin_pin=none";

Deno.test("race: without a name, one line for each litmus test", async () => {
  const { code, text } = await race([]);
  assert.equal(code, 0);
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.length, litmusTests.length);
  for (const [i, { name, about }] of litmusTests.entries()) {
    assert.ok(lines[i]!.startsWith(name) && lines[i]!.endsWith(about));
  }
});

Deno.test("race: what holds says so and exits with 0", async () => {
  const { code, text } = await race([lost]);
  assert.equal(code, 0);
  assert.match(
    text,
    /^planted-lost-update: holds \(searched all interleavings, \d+ runs\)$/m,
  );
  assert.match(text, /\d+ × counted 4 {3}e\.g\. [AB0-9]+$/m);
});

Deno.test("race: what breaks exits with 1 and shows the shortest run", async () => {
  const { code, text } = await race([lost, "--variant", "no lock"]);
  assert.equal(code, 1);
  assert.match(text, /^planted-lost-update: BROKEN \(searched all/);
  assert.match(text, /\d+ × invariant: Invariant broken: \d of 4 updates/);
  assert.match(text, /The shortest such run, --replay A[13]B4A/);
  assert.match(text, /^CPU0 +CPU1$/m);
  const [page] = /\S+\.html#\S+/.exec(text)!;
  assert.match(page, /#race=planted-lost-update&variant=no\+lock&schedule=A/);
});

Deno.test("race: --set breaks thread 003, and is named", async () => {
  const { code, text } = await race([aba, "--set", noPin]);
  assert.equal(code, 1);
  assert.match(text, /with sync_swapin_pin=none/);
  assert.match(text, /corruption: Data corruption: page 0 .* 2 was written/);
});

Deno.test("race: a search within its bound is complete, samples are not", async () => {
  const bounded = await race([lost, "--bound", "0"]);
  assert.equal(bounded.code, 0);
  assert.match(bounded.text, /searched up to 0 preemptions/);
  const random = ["--scheduler", "random", "--runs", "5", "--seed", "3"];
  const sampled = await race([lost, ...random]);
  assert.equal(sampled.code, 3);
  assert.match(sampled.text, /not searched to the end, 5 runs/);
});

Deno.test("race: --json has the fields of the issue", async () => {
  const { code, text } = await race([lost, "--variant=no lock", "--json"]);
  assert.equal(code, 1);
  const report = JSON.parse(text);
  assert.deepEqual(Object.keys(report).sort(), [
    "bound",
    "complete",
    "litmus",
    "outcomes",
    "proposals",
    "reduction",
    "runs",
    "steps",
    "variant",
    "violations",
  ]);
  assert.equal(report.litmus, lost);
  assert.equal(report.bound, null);
  assert.equal(report.complete, true);
  for (const { name, count, schedule } of report.outcomes) {
    assert.equal(name, "counted 4");
    assert.ok(count > 0 && /^[AB\d]+$/.test(schedule));
  }
  const [{ kind, invariant, schedule, diagram }] = report.violations;
  assert.equal(kind, "invariant");
  assert.match(invariant, /Invariant broken/);
  assert.ok(schedule.length <= 60);
  assert.match(diagram, /^CPU0 +CPU1\n/);
});

Deno.test("race: bad input exits with 2 and one sentence", async () => {
  for (
    const [args, wanted] of [
      [["no-such-race"], /No litmus test "no-such-race"; there are .*sync-/],
      [["no-such.txt"], /no file "no-such\.txt"/],
      [[aba, "--set", "pin=none"], /no switch "pin"; there are /],
      [[aba, "--set", "sync_swapin_pin=x"], /one of none, count, has_cache/],
      [
        [aba, "--variant", "v7"],
        /sync-swapin-aba has no variant "v7"; it has v6\.12/,
      ],
      [[aba, "--bound", "few"], /--bound: wanted a whole number, got "few"/],
      [[aba, "--scheduler", "bfs"], /--scheduler: wanted one of dpor, dfs/],
      [[aba, "--seed"], /--seed: wanted a value/],
      [[aba, "--what"], /Unknown option --what/],
      [[aba, lost], /Wanted one name or file/],
      [["-"], /A diagram needs a machine: --litmus NAME/],
    ] as const
  ) {
    const { code, text } = await race(args, { "-": "CPU0  CPU1\n" });
    assert.equal(code, 2, args.join(" "));
    assert.match(text, wanted);
  }
});

Deno.test("race: --replay makes the run, or tells where it ceases to fit", async () => {
  const broken = ["--variant", "no lock", "--replay"];
  const again = await race([lost, ...broken, "A1B4A"]);
  assert.equal(again.code, 1);
  assert.match(again.text, /BROKEN \(one run, 8 steps\)/);
  assert.equal((await race([lost, ...broken, "A4B"])).code, 0);
  const misfit = await race([lost, "--replay", "A1B9A"]);
  assert.equal(misfit.code, 2);
  assert.match(misfit.text, /ceases to fit at step 2: B cannot go on/);
  const nonsense = await race([lost, "--replay", "a1"]);
  assert.equal(nonsense.code, 2);
  assert.match(nonsense.text, /wanted a letter and a number/);
});

/** The diagram of the lost update. */
const diagram = `CPU0                                  CPU1
countUp()
  [preempted before WRITE_ONCE(counter)]
                                      countUp()
                                        [ends]
[ends]
`;

/** "> " in front of each line, as a mail quotes. */
function quoted(text: string): string {
  return text.replaceAll(/^/gm, "> ");
}

Deno.test("race: a diagram from a file, from -, and quoted in a mail", async () => {
  const options = ["--litmus", lost, "--variant", "no lock"];
  const files = {
    "lost.txt": diagram,
    "-": diagram,
    "mail.txt": quoted(diagram),
  };
  for (const file of Object.keys(files)) {
    const { code, text } = await race([file, ...options], files);
    assert.equal(code, 1, file);
    assert.match(
      text,
      /^deno task race planted-lost-update .*--replay A1B4A$/m,
    );
    assert.match(text, /BROKEN, invariant: Invariant broken: 2 of 4/);
    assert.match(text, /^CPU0 +CPU1\ncountUp\(\)$/m);
  }
});

Deno.test("race: what a diagram left out is filled in, and is grey", async () => {
  let told = "";
  const code = await main(
    ["-", "--litmus", "sync-swapin-aba", "--variant", "no pin"],
    {
      print: (more) => void (told += more),
      read: () =>
        Promise.resolve(
          "CPU0          CPU1\nswap_read_folio()\n" +
            "              pageout()\n              [ends]\n",
        ),
      grey: (line) => `<${line}>`,
    },
  );
  assert.equal(code, 1);
  assert.match(told, /^< +do_swap_page\(\)>$/m);
  assert.match(told, /^ +swap_read_folio\(\)$/m);
  assert.match(told, /^ +pageout\(\)$/m);
});

Deno.test("race: a diagram that cannot happen names the line and why", async () => {
  const inversion = ["--litmus", "planted-lock-inversion"];
  const text = `CPU0                         CPU1
takeBoth()
  [preempted before spin_lock(lock 2)]
                             takeBoth()
                             [ends]
`;
  const told = await race(["-", ...inversion], { "-": text });
  assert.equal(told.code, 2);
  assert.match(
    told.text,
    /^line 5 cannot happen: .*CPU0 holds it since step 1$/m,
  );
});

Deno.test("race: --help", async () => {
  const { code, text } = await race(["--help"]);
  assert.equal(code, 0);
  assert.match(text, /^Usage: deno task race/);
});
