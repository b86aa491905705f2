import type { Node } from "node-red";
import type { ClientStatus, Observable, XrtcError } from "../../src/index.js";

/**
 * Reports on a node what takes a person to change, once for as long as it lasts: with the first refusal, not with each
 * attempt that ends the same way. Something that works in between makes it news again.
 */
export class RefusalReporter {
  readonly #node: Pick<Node, "error">;
  readonly #unsubscribe: () => void;
  #started = false;
  /** Waits until the flows have started: an error from before that reaches no Catch node. */
  #pending: XrtcError | undefined;
  #reported: string | undefined;

  constructor(node: Pick<Node, "error">, started: Observable<boolean>) {
    this.#node = node;
    this.#unsubscribe = started.subscribe((value) => {
      this.#started = value;
      this.#flush();
    });
  }

  update(status: ClientStatus): void {
    if (status.kind === "refused") return this.report(status.cause);
    // A server that was missed while the flows started may have come in the meantime.
    this.#pending = undefined;
    if (status.kind === "connected") this.recovered();
  }

  recovered(): void {
    this.#pending = undefined;
    this.#reported = undefined;
  }

  report(cause: XrtcError): void {
    this.#pending = cause;
    this.#flush();
  }

  close(): void {
    this.#unsubscribe();
    this.#pending = undefined;
  }

  #flush(): void {
    const cause = this.#pending;
    if (cause === undefined || !this.#started) return;
    this.#pending = undefined;
    const what = `${cause.code} ${cause.message}`;
    if (this.#reported === what) return;
    this.#reported = what;
    // With a message, so that it reaches Catch nodes.
    this.#node.error(cause, {});
  }
}
