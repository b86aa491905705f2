/** A mistake in how the command was called or configured: its message is for the one who did it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
