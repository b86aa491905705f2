/** What was set, what was answered, and what arrived: what must agree in the end. */

export type Answer = "ok" | "fail" | "unknown";

interface Book {
  readonly portalId: string;
  readonly answers: (Answer | undefined)[];
  /** Indices in the order of their arrival. */
  readonly arrived: number[];
  readonly seen: Set<number>;
  readonly foreign: string[];
}

export class Ledger {
  readonly #books: ReadonlyMap<string, Book>;
  readonly #ids: readonly string[];
  readonly #checks = new Set<() => void>();
  #turn = 0;
  #arrivedCount = 0;
  #okCount = 0;

  constructor(portalIds: readonly string[]) {
    this.#ids = portalIds;
    this.#books = new Map(
      portalIds.map((portalId) => [
        portalId,
        { portalId, answers: [], arrived: [], seen: new Set(), foreign: [] },
      ]),
    );
  }

  /** The next item to set, of each portal in turn. */
  next(): { readonly portalId: string; readonly payload: string; readonly index: number } {
    const portalId = this.#ids[this.#turn % this.#ids.length] ?? "";
    this.#turn += 1;
    const { answers } = this.#book(portalId);
    const index = answers.length;
    answers.push(undefined);
    return { portalId, payload: `${portalId} ${index}`, index };
  }

  settled(portalId: string, index: number, answer: Answer): void {
    this.#book(portalId).answers[index] = answer;
    if (answer === "ok") this.#okCount += 1;
    this.#check();
  }

  arrived(portalId: string, payload: string): void {
    const book = this.#book(portalId);
    const index = Number(payload.split(" ")[1]);
    if (payload !== `${portalId} ${index}` || !(index < book.answers.length)) {
      book.foreign.push(payload);
      return;
    }
    book.arrived.push(index);
    book.seen.add(index);
    this.#arrivedCount += 1;
    this.#check();
  }

  get acknowledged(): number {
    return this.#count("ok");
  }

  get unknown(): number {
    return this.#count("unknown");
  }

  /** Items that are acknowledged and have yet to arrive, about. */
  get backlog(): number {
    return this.#okCount - this.#arrivedCount;
  }

  /** Resolves when so many more have arrived. @throws Error when they do not in time */
  more(count: number, msMax: number): Promise<void> {
    const goal = this.#arrivedCount + count;
    return this.#until(() => this.#arrivedCount >= goal, `${count} more items`, msMax);
  }

  /** Resolves when everything that was answered ok has arrived, or nothing more comes: then `violations` tells. */
  async complete(quietMsMax: number): Promise<void> {
    const isComplete = (): boolean =>
      this.#all().every(({ answers, seen }) =>
        answers.every((answer, index) => answer !== "ok" || seen.has(index)),
      );
    while (!isComplete()) {
      const isQuiet = await this.more(1, quietMsMax).then(
        () => false,
        () => true,
      );
      if (isQuiet) return;
    }
  }

  *violations(): Generator<string> {
    for (const { portalId, answers, arrived, seen, foreign } of this.#all()) {
      const lost = answers.flatMap((answer, at) => (answer === "ok" && !seen.has(at) ? [at] : []));
      if (lost.length > 0) yield `${portalId}: acknowledged and lost: ${short(lost)}`;
      const undead = [...seen].filter((index) => answers[index] === "fail");
      if (undead.length > 0) yield `${portalId}: refused and delivered: ${short(undead)}`;
      if (arrived.length !== seen.size) {
        const twice = arrived.filter((index, at) => arrived.indexOf(index) !== at);
        yield `${portalId}: delivered twice: ${short(twice)}`;
      }
      const disordered = arrived.filter((index, at) => at > 0 && index < (arrived[at - 1] ?? 0));
      if (disordered.length > 0) yield `${portalId}: out of order: ${short(disordered)}`;
      if (foreign.length > 0) yield `${portalId}: set by nobody: ${foreign.slice(0, 3).join()}`;
    }
  }

  #count(wanted: Answer): number {
    return this.#all().flatMap(({ answers }) => answers.filter((answer) => answer === wanted))
      .length;
  }

  #until(isSo: () => boolean, what: string, msMax: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        act();
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`${what} did not arrive within ${msMax} ms`))),
        msMax,
      );
      const check = (): void => {
        if (isSo()) end(resolve);
      };
      this.#checks.add(check);
      check();
    });
  }

  #check(): void {
    for (const check of [...this.#checks]) check();
  }

  #all(): readonly Book[] {
    return [...this.#books.values()];
  }

  #book(portalId: string): Book {
    const book = this.#books.get(portalId);
    if (book === undefined) throw new Error(`nobody asked for ${portalId}`);
    return book;
  }
}

const short = (indices: readonly number[]): string =>
  `${indices.slice(0, 5).join()}${indices.length > 5 ? ` and ${indices.length - 5} more` : ""}`;
