import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../support/tree.js";
import { CASES } from "./cases/index.js";
import { CLAUSES, isForHosted, SECTIONS } from "./clauses.js";
import { withClauses } from "./page.js";

const byId = new Map(CLAUSES.map((clause) => [clause.id, clause]));
const asked = new Set(CASES.flatMap(({ clauses }) => clauses));

describe("The clauses of the protocol", () => {
  it("are numbered by section, one after another", () => {
    const expected = SECTIONS.flatMap(({ clauses }, section) =>
      clauses.map((_, at) => `${section + 1}.${at + 1}`),
    );
    assert.deepEqual(
      CLAUSES.map(({ id }) => id),
      expected,
    );
  });

  it("have a case each, but for those that nobody can see from outside", () => {
    const without = CLAUSES.filter(({ id, unseen }) => unseen === undefined && !asked.has(id));
    assert.deepEqual(
      without.map(({ id, text }) => `${id} ${text}`),
      [],
    );
    const unseen = CLAUSES.filter((clause) => clause.unseen !== undefined);
    assert.ok(unseen.length < CLAUSES.length / 4, "most clauses can be seen");
    console.log(
      `    not to be seen from outside:\n${unseen
        .map(({ id, text, unseen: why }) => `      ${id} ${text} (${why})`)
        .join("\n")}`,
    );
  });

  it("are what every case is about", () => {
    for (const { name, clauses } of CASES) {
      assert.ok(clauses.length > 0, `${name}: no clause`);
      for (const id of clauses) {
        assert.ok(byId.has(id), `${name}: there is no clause ${id}`);
        assert.equal(byId.get(id)?.unseen, undefined, `${name}: ${id} is not to be seen`);
      }
    }
  });

  it("have cases with names of their own", () => {
    assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
  });

  it("that the hosted service may be asked for have a case for it, and decisions have none", () => {
    const forHosted = CASES.filter((each) => each.isForHosted === true);
    const covered = new Set(forHosted.flatMap(({ clauses }) => clauses));
    assert.deepEqual(
      CLAUSES.filter((clause) => isForHosted(clause) && !covered.has(clause.id)).map(
        ({ id }) => id,
      ),
      [],
    );
    for (const { name, clauses, needs = [] } of forHosted) {
      for (const id of clauses) {
        const clause = byId.get(id);
        assert.ok(clause !== undefined && isForHosted(clause), `${name}: ${id} is not for it`);
      }
      assert.deepEqual(needs, [], `${name} needs what the hosted service has not`);
    }
  });

  it("stand in docs/protocol.md", () => {
    const page = readFileSync(join(ROOT, "docs/protocol.md"), "utf8");
    // npm run conformance -- --page docs/protocol.md makes it anew.
    assert.equal(page, withClauses(page));
  });
});
