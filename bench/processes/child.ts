/** The child's end of a process that a measurement starts: its task comes as an argument, its answers go as messages. */

/** The task, as the parent wrote it. */
export const task = (): unknown => JSON.parse(process.argv[2] ?? "{}");

export function answer(message: object): void {
  process.send?.(message);
}

/** Answers each question of the parent, one after the other. */
export function answerQuestions(answerTo: (question: unknown) => Promise<object>): void {
  process.on("message", (question) => {
    void answerTo(question).then(answer, fail);
  });
}

/** Tells the parent why there is no answer. */
export function fail(error: unknown): void {
  answer({ error: error instanceof Error ? error.message : String(error) });
}

/** Ends this process when its parent wants that, or is gone. */
export function endWithParent(close: () => Promise<void> = async () => undefined): void {
  process.once("disconnect", () => {
    void close().finally(() => process.exit());
  });
}
