/**
 * The project's style rules, as pure functions of one file's path and text.
 *
 * Ours. `tests/tidy_test.ts` runs all of them over the project. Rules about
 * text are here; rules that must read code are in tidy_code.ts.
 */
import { codeRules } from "./tidy_code.ts";
import { commentsOf, parse } from "./syntax.ts";

export interface Problem {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

export interface Rule {
  readonly id: string;
  /** What to do about it, in one sentence. */
  readonly remedy: string;
  readonly applies: (path: string) => boolean;
  readonly check: (path: string, text: string) => Problem[];
}

/** Files over the limit, each with the reason why it is not two. */
const longFiles: ReadonlyMap<string, string> = new Map([
  ["lib/lab/data/pages.ts", "generated: the bytes of the sample pages"],
]);

const maximumLines = 400;
const maximumModLines = 80;
const maximumColumns = 100;

/** Problems of the lines that match `pattern`; the match ends the message. */
function grep(text: string, pattern: RegExp, message: string): Problem[] {
  return text.split("\n").flatMap((content, index) => {
    const found = pattern.exec(content);
    if (found === null) return [];
    return [{ line: index + 1, message: `${message}: ${found[0].trim()}` }];
  });
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function isTypeScript(path: string): boolean {
  return path.endsWith(".ts");
}

const everywhere = (): boolean => true;

// Spelled in pieces, so that this file passes its own rules.
const machineFolders = ["work", "tmp", "root", "home"].join("|");
const machinePath = new RegExp(
  `(?<![\\w.~)}>*+=:/-])/(?:${machineFolders})(?=/[\\w.])`,
);
const unfinishedWords = ["TO" + "DO", "FIX" + "ME", "X".repeat(3)].join("|");
const unfinished = new RegExp(`\\b(?:${unfinishedWords})\\b`);
const switchedOff = /@ts-(?:ignore|nocheck)/;
const registryHost = new RegExp(
  "\\b(?:" + [
    "registry\\.[a-z0-9-]+\\.[a-z]+",
    "[a-z0-9-]+\\.jsdelivr\\.net",
    ["unpkg", "com"].join("\\."),
    ["esm", "sh"].join("\\.") + "/",
    ["jsr", "io"].join("\\."),
    "deno\\.land/x",
  ].join("|") + ")",
);

const textRules: readonly Rule[] = [
  {
    id: "no-machine-path",
    remedy: "Use a path relative to the project, or makeTempDir().",
    applies: everywhere,
    check: (_path, text) => grep(text, machinePath, "a path of one machine"),
  },
  {
    id: "no-registry-host",
    remedy: "Pin packages by name in deno.json; no host, no CDN.",
    applies: everywhere,
    check: (_path, text) => grep(text, registryHost, "a registry's host"),
  },
  {
    id: "lock-holds-no-url",
    remedy: "Remove the URL from deno.lock: a lock names packages only.",
    applies: (path) => path === "deno.lock",
    check: (_path, text) => grep(text, /\w+:\/\/\S+/, "a URL"),
  },
  {
    id: "nothing-left-undone",
    remedy: "Finish it, or open an issue and say here what is so, and why.",
    applies: (path) => /\.(ts|js|css|html|sh)$/.test(path),
    check: (_path, text) => grep(text, unfinished, "left undone"),
  },
  {
    id: "file-length",
    remedy: "Make it two files, or give a reason in tools/tidy.ts.",
    applies: (path) => isTypeScript(path) && !longFiles.has(path),
    check: (_path, text) => tooLong(text, maximumLines),
  },
  {
    id: "mod-length",
    remedy: "lib/mod.ts is the table of contents: export fewer names.",
    applies: (path) => path === "lib/mod.ts",
    check: (_path, text) => tooLong(text, maximumModLines - 1),
  },
  {
    id: "line-length",
    remedy: "Break the line; 80 columns fit a notebook and a phone.",
    applies: isTypeScript,
    check: (_path, text) =>
      text.split("\n").flatMap((content, index) => {
        const columns = [...content].length;
        if (columns <= maximumColumns) return [];
        return [{ line: index + 1, message: `${columns} columns` }];
      }),
  },
  {
    id: "types-not-silenced",
    remedy: "Mend the type; the checker is right more often than not.",
    applies: isTypeScript,
    check: (path, text) =>
      commentsOf(parse(path, text)).flatMap((comment) =>
        grep(comment.text, switchedOff, "the checker is switched off")
          .map((problem) => ({
            ...problem,
            line: comment.line + problem.line - 1,
          }))
      ),
  },
];

function tooLong(text: string, maximum: number): Problem[] {
  const lines = lineCount(text);
  if (lines <= maximum) return [];
  return [{ line: lines, message: `${lines} lines, ${maximum} are allowed` }];
}

/** All rules. `kernelSymbols` maps borrowed names to their kernel file. */
export function tidyRules(
  kernelSymbols: Readonly<Record<string, string>>,
): Rule[] {
  return [...textRules, ...codeRules(kernelSymbols)];
}

/** One line a problem: `lib/mm/zswap.ts:12 message`. */
export function problemsOf(rule: Rule, path: string, text: string): string[] {
  if (!rule.applies(path)) return [];
  return rule.check(path, text)
    .map((problem) => `${path}:${problem.line} ${problem.message}`);
}
