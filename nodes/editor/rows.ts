/** The rows of a dialog that mean something with what is chosen in the others. */

/**
 * Shows the rows whose attributes name what is chosen, and hides the others: `data-mode="probe watch"` on a row is for
 * the choices `probe` and `watch` of the field that stands under `mode`.
 *
 * @param dialog - selector of the whole dialog
 * @param fields - selectors of the fields, by the names that follow `data-`
 */
export function showRows(dialog: string, fields: Readonly<Record<string, string>>): void {
  const chosen = Object.entries(fields).map(
    ([name, field]) => [name, String($(field).val() ?? "")] as const,
  );
  const attributes = chosen.map(([name]) => `[data-${name}]`).join(",");
  $(dialog)
    .find(attributes)
    .each((_index, row) => {
      $(row).toggle(chosen.every(([name, choice]) => isAmong(choice, row.dataset[name])));
    });
}

/** A row that names no choice of a field is for all of them. */
const isAmong = (choice: string, list: string | undefined): boolean =>
  list === undefined || list.split(" ").includes(choice);
