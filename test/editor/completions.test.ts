import assert from "node:assert/strict";
import { COMPLETIONS_MAX, completionsOf } from "../../nodes/editor/completions.js";

const PORTALS = ["attic", "hall", "Hallway", "kitchen", "shall"];

const values = (field: string, isList = false, ids: readonly string[] = PORTALS): string[] =>
  completionsOf(field, ids, isList).map(({ value }) => value);

describe("the completions of a portal id", () => {
  it("are all portals while nothing is typed", () => {
    assert.deepEqual(values(""), ["attic", "hall", "Hallway", "kitchen", "shall"]);
  });

  it("are those that begin with the text, then those that contain it, in either case", () => {
    assert.deepEqual(values("HAL"), ["hall", "Hallway", "shall"]);
    assert.deepEqual(values("garage"), []);
  });

  it("are none when the only one that fits stands there already", () => {
    assert.deepEqual(values("kitchen"), []);
    assert.deepEqual(values("attic, kitchen", true), []);
    assert.deepEqual(values("kitche"), ["kitchen"]);
    // Here something else could still be meant.
    assert.deepEqual(values("hall"), ["hall", "Hallway", "shall"]);
  });

  it("complete the last id of a list, and leave out those that stand in it", () => {
    assert.deepEqual(values("kitchen, hal", true), [
      "kitchen, hall",
      "kitchen, Hallway",
      "kitchen, shall",
    ]);
    assert.deepEqual(values("hall;attic ", true), [
      "hall;attic Hallway",
      "hall;attic kitchen",
      "hall;attic shall",
    ]);
    assert.deepEqual(values("kitchen, hal"), []);
  });

  it("show the id itself, without the rest of the list", () => {
    assert.deepEqual(completionsOf("hall, k", PORTALS, true), [
      { value: "hall, kitchen", label: "kitchen" },
    ]);
  });

  it("are no more than a menu can show", () => {
    const many = Array.from({ length: 1_000 }, (_, at) => `p${at}`);
    assert.equal(values("p", false, many).length, COMPLETIONS_MAX);
  });
});
