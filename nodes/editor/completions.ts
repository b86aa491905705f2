/** Which portal ids fit what stands in a field so far; pure. */

/** A text that the field may be completed to, and what a menu shows for it. */
export interface Completion {
  readonly value: string;
  readonly label: string;
}

/** Completions that a menu shows; more than one can look through help nobody. */
export const COMPLETIONS_MAX = 50;

/**
 * The ids that contain what is being typed, those that begin with it first; upper and lower case are the same.
 *
 * @param field - the whole text of the field
 * @param ids - every id there is, in the order in which they are shown
 * @param isList - whether the field takes several ids: only the last one is completed then, by none that is there
 */
export function completionsOf(
  field: string,
  ids: readonly string[],
  isList: boolean,
): Completion[] {
  const before = isList ? field.slice(0, /[^\s,;]*$/.exec(field)?.index) : "";
  const typed = field.slice(before.length).trim().toLowerCase();
  const present = new Set(before.split(/[\s,;]+/));
  const fitting = ids.filter((id) => id.toLowerCase().includes(typed) && !present.has(id));
  // Nothing is left to complete, and the menu would take the Enter that closes the dialog.
  if (fitting.length === 1 && fitting[0] === field.slice(before.length).trim()) return [];
  const begins = (id: string): boolean => id.toLowerCase().startsWith(typed);
  const bestFirst = [...fitting.filter(begins), ...fitting.filter((id) => !begins(id))];
  return bestFirst.slice(0, COMPLETIONS_MAX).map((id) => ({ value: before + id, label: id }));
}
