import { strict as assert } from "node:assert";
import type { Case } from "../case.js";
import { linesToItems, payloadsOf } from "../stage.js";

export const STREAMS: readonly Case[] = [
  {
    name: "streams items as they arrive, a JSON document a line",
    clauses: ["5.8"],
    isForHosted: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const stream = await session.stream(portalid);
      const names = ["one", "zwö", "three"].map((name) => stage.text(name));
      for (const [at, payload] of names.entries()) {
        await session.set(portalid, payload);
        await stream.until(at + 1);
        assert.equal(stream.isOver, false, "the stream is open while items come");
      }
      stream.response.destroy();
      assert.ok(stream.text.endsWith("\n"));
      assert.deepEqual(payloadsOf(linesToItems(stream.lines)), names);
    },
  },
  {
    name: "keeps a stream open for its time, and ends an empty one with {}",
    clauses: ["5.8", "5.21", "5.22"],
    isHasty: true,
    async run(stage) {
      const session = await stage.session();
      const from = performance.now();
      const stream = await session.stream(await stage.portal(session));
      await stream.ended;
      const tookMs = performance.now() - from;
      assert.ok(tookMs > stage.limits.getTimeoutMs * 0.7, `after ${tookMs} ms`);
      assert.ok(tookMs < stage.limits.getTimeoutMs + 5_000, `after ${tookMs} ms`);
      assert.equal(stream.text, "{}\n");
    },
  },
  {
    name: "ends a stream that delivered without another word, and never writes a blank line",
    clauses: ["5.21", "5.22"],
    isHasty: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      await session.set(portalid, "before");
      const stream = await session.stream(portalid);
      await stream.until(1);
      await stream.ended;
      assert.match(stream.text, /^(?:\{"items":\[.+\]\}\n)+$/);
      assert.deepEqual(payloadsOf(linesToItems(stream.lines)), ["before"]);
      const probe = await session.call("/item/get", { portals: [] });
      assert.doesNotMatch(probe.text, /^\s*\n|\n\s*\n/);
    },
  },
  {
    name: "goes on with one stream where the last one ended",
    clauses: ["5.8", "5.2"],
    isHasty: true,
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const got: string[] = [];
      for (const payload of ["one", "two", "three"]) {
        const stream = await session.stream(portalid);
        await session.set(portalid, payload);
        await stream.ended;
        got.push(...payloadsOf(linesToItems(stream.lines)));
      }
      got.push(...payloadsOf(await session.all(portalid)));
      assert.deepEqual(got, ["one", "two", "three"]);
    },
  },
  {
    name: "gives each item to one of a session's gets for one portal",
    clauses: ["5.23"],
    async run(stage) {
      const session = await stage.session();
      const portalid = await stage.portal(session);
      const streams = [await session.stream(portalid), await session.stream(portalid)];
      const payloads = Array.from({ length: 20 }, (_, at) => `n${at}`);
      for (const payload of payloads) await session.set(portalid, payload);
      const probed = payloadsOf(await session.all(portalid));
      const got = (): readonly string[] => [
        ...probed,
        ...streams.flatMap(({ lines }) => payloadsOf(linesToItems(lines))),
      ];
      while (new Set(got()).size < payloads.length) {
        const { lines } = streams[0] as (typeof streams)[0];
        const { lines: others } = streams[1] as (typeof streams)[0];
        await Promise.race([
          streams[0]?.until(lines.length + 1),
          streams[1]?.until(others.length + 1),
        ]);
      }
      for (const { response } of streams) response.destroy();
      assert.deepEqual(got().toSorted(), payloads.toSorted());
    },
  },
];
