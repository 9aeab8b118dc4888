/**
 * What a cell's top-level names live in: one box a name for the whole session.
 *
 * A name has one binding, whoever declares it how often: a later cell that
 * declares `x` again gives the same box a new value and a new kind, and the
 * closures of earlier cells see it. That is what a notebook reader expects who
 * changes a cell and runs it again, and what Deno's own kernel does.
 *
 * The state is in the shape of the object, so that reading costs what reading
 * a field costs: an initialised binding has an own data property `value`
 * (read-only for a const); without it, the accessors of the prototype answer:
 * they throw, or pass on to the host's globals.
 */

export type Kind =
  | "let"
  | "const"
  | "var"
  | "function"
  | "class"
  | "enum"
  | "import";

/** A binding; compiled cells use its properties by name (see rewrite.ts). */
export class Binding {
  readonly name: string;
  /** How it was declared last; null for a name that no cell has declared. */
  kind: Kind | null = null;
  /** True if code was compiled that may assign to it as to a variable. */
  mayBeAssigned = false;

  constructor(name: string) {
    this.name = name;
  }

  get value(): unknown {
    if (this.kind !== null) throw unset(this.name);
    if (this.name in globalThis) return Reflect.get(globalThis, this.name);
    throw new ReferenceError(`${this.name} is not defined`);
  }

  set value(value: unknown) {
    if (this.kind !== null) throw unset(this.name);
    if (!(this.name in globalThis)) {
      throw new ReferenceError(`${this.name} is not defined`);
    }
    Reflect.set(globalThis, this.name, value);
  }

  /** Initialise: what `let x = …` compiles to. */
  set let(value: unknown) {
    initialise(this, value, true);
  }

  /** Initialise for good: what `const x = …` compiles to. */
  set const(value: unknown) {
    if (this.mayBeAssigned) initialiseGuarded(this, value);
    else initialise(this, value, false);
  }

  /** `value` for an assignment to what was a constant when it was compiled. */
  get fixed(): unknown {
    return this.value;
  }

  set fixed(value: unknown) {
    this.value; // Not initialised yet is the error that comes first.
    // A later cell may have declared it again, as a variable.
    if (this.kind === "const" || this.kind === "import") refuse();
    this.value = value;
  }

  /** For `typeof`, which must not throw for a name that nobody declared. */
  get typed(): unknown {
    const missing = this.kind === null && !(this.name in globalThis);
    return missing ? undefined : this.value;
  }
}

function unset(name: string): ReferenceError {
  return new ReferenceError(`Cannot access '${name}' before initialization`);
}

function refuse(): never {
  throw new TypeError("Assignment to constant variable.");
}

function initialise(binding: Binding, value: unknown, writable: boolean) {
  const property = { value, writable, configurable: true, enumerable: true };
  Object.defineProperty(binding, "value", property);
}

/** A constant that older code takes for a variable: writing says what it is. */
function initialiseGuarded(binding: Binding, value: unknown) {
  const property = { get: () => value, set: refuse, configurable: true };
  Object.defineProperty(binding, "value", property);
}

function declare(binding: Binding, kind: Kind): void {
  const before = binding.kind;
  binding.kind = kind;
  // As in a script, `var x` keeps the value of an earlier `var x`.
  const kept = kind === "var" && (before === "var" || before === "function");
  if (kept) return;
  Reflect.deleteProperty(binding, "value");
  if (kind === "var" || kind === "enum") binding.let = undefined;
}

/** All names of one session; a name's binding is made at its first use. */
export interface Bindings {
  get(name: string): Binding;
  /** What happens to a name before the first line of its cell. */
  declare(name: string, kind: Kind): Binding;
  kindOf(name: string): Kind | null;
}

export function makeBindings(): Bindings {
  const byName = new Map<string, Binding>();
  const get = (name: string) => {
    const binding = byName.get(name) ?? new Binding(name);
    byName.set(name, binding);
    return binding;
  };
  return {
    get,
    declare(name, kind) {
      const isUsed = byName.has(name);
      const binding = get(name);
      const wasFixed = binding.kind === "const" || binding.kind === "import";
      if (isUsed && !wasFixed) binding.mayBeAssigned = true;
      declare(binding, kind);
      return binding;
    },
    kindOf: (name) => byName.get(name)?.kind ?? null,
  };
}
