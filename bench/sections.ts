/** The parts of a report: each compares what was measured in one way. */

import { DELAY_MS, type Way } from "./plan.js";

/** What is measured of the server alone. */
export type ServerSection = "waiting" | "fan-out" | "sets" | "growth";
export type Section = Way | ServerSection;

export const SECTIONS: Readonly<
  Record<Section, { readonly title: string; readonly note?: string }>
> = {
  loopback: { title: "On loopback" },
  delayed: { title: `Through ${DELAY_MS} ms of delay each way` },
  waiting: {
    title: "Readers that wait",
    note: "Streams held open by one process, each with a connection and a login of its own. kB are 1,000 bytes of the server's process for each of them, after collection, resident memory without V8's space for new objects. Last served: the time from one set that wakes them all until each has its item.",
  },
  "fan-out": {
    title: "One item to many readers",
    note: "Milliseconds from the call that sets one item until the last of the readers has it; the next item is set after that.",
  },
  sets: {
    title: "Sets",
    note: "Acknowledged items a second, with nobody who reads them. µs are CPU time of the server's processes for each item.",
  },
  growth: {
    title: "Growth",
    note: "CPU time of the server for each item that is set and delivered, beside that of an equal server without the load, measured in turns.",
  },
};
