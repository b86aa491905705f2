/**
 * What an XRTC server promises, clause by clause. The list is the measure of the conformance suite: a clause that can be
 * seen from outside has a case, and a case names its clauses. docs/protocol.md shows it.
 */

/** One promise. */
export interface Clause {
  /** Section and number: it stays what it is when clauses are added. */
  readonly id: string;
  /** `fact`: what the service documents, or does. `decision`: what its documentation leaves open, as this project's server has it. */
  readonly part: "fact" | "decision";
  readonly text: string;
  /** Why nobody can see it from outside. */
  readonly unseen?: string;
  /** Why the hosted service is not asked for it, although it is a fact; of decisions it never is. */
  readonly notHosted?: string;
}

export interface Section {
  readonly title: string;
  readonly clauses: readonly Clause[];
}

const SHUTS_OUT = "it would use up what the account has";
const MAILS = "it would mail somebody";
const SECOND_ADDRESS = "it takes a second address on the internet";
const CLIENTS = "it binds clients, not servers";

export const SECTIONS: readonly Section[] = [
  {
    title: "Calls",
    clauses: [
      {
        id: "1.1",
        part: "fact",
        text: "Every call is a POST below the base URL, with a JSON document as its body and JSON as its answer: `/auth/registrationstart`, `/auth/registrationcode`, `/auth/login`, `/item/set`, `/item/get`.",
      },
      {
        id: "1.2",
        part: "fact",
        text: "A body is read as JSON whatever its content type: none, `text/plain; charset=utf-8`, `application/x-www-form-urlencoded`, `application/json`.",
      },
      { id: "1.3", part: "fact", text: "Keys without quotes are taken: `{portals:[]}`." },
      { id: "1.4", part: "fact", text: "Members that the server does not know are passed over." },
      {
        id: "1.5",
        part: "fact",
        text: "Timestamps are whole milliseconds of UNIX time, UTC, by the server's clock.",
      },
      {
        id: "1.6",
        part: "fact",
        text: 'An error is `{"error":{"errorgroup":…,"errorcode":…,"errormessage":"…"}}` with status 400, or 401 where a session is denied.',
      },
      {
        id: "1.7",
        part: "fact",
        text: "The error's group says where it arose: 2 the system, 3 registration, 4 login, 6 the application.",
        notHosted: "its documentation shows an error of registration in group 4",
      },
      { id: "1.8", part: "fact", text: "A body that is no JSON is refused with code 20." },
      {
        id: "1.9",
        part: "fact",
        text: "Arguments that do not have their form or range are refused with code 30.",
      },
      {
        id: "1.10",
        part: "fact",
        text: "A load balancer in front may answer 429, 502, 503 or 504 with HTML or with nothing.",
        unseen: "nobody can bring it about from outside; it binds clients",
      },
      {
        id: "1.11",
        part: "decision",
        text: "Too many requests are answered with 429, `Retry-After` and an error of group 2.",
      },
    ],
  },
  {
    title: "Registration",
    clauses: [
      {
        id: "2.1",
        part: "fact",
        text: "A start with an e-mail address answers a `registrationtoken`; a code goes to the address.",
        notHosted: MAILS,
      },
      {
        id: "2.2",
        part: "fact",
        text: "A start with the token as well sends a code again.",
        notHosted: MAILS,
      },
      {
        id: "2.3",
        part: "fact",
        text: "Token and code answer `accountid`, `apikey` and `apikeyname`, and these log in.",
        notHosted: MAILS,
      },
      {
        id: "2.4",
        part: "fact",
        text: "What is no e-mail address is refused with code 32, an unknown token with 33, a wrong code with 34.",
        notHosted: "it would look like guessing",
      },
      {
        id: "2.5",
        part: "fact",
        text: "A code that is wanted too often is refused with 41, one that is wrong too often with 42.",
        notHosted: MAILS,
      },
      {
        id: "2.6",
        part: "fact",
        text: "A code that comes after 5 minutes is refused with 43.",
        notHosted: MAILS,
      },
      {
        id: "2.7",
        part: "fact",
        text: "Too many registrations at a time are refused with 40.",
        unseen: "it takes as many registrations as would shut everybody else out",
      },
    ],
  },
  {
    title: "Accounts and sessions",
    clauses: [
      {
        id: "3.1",
        part: "fact",
        text: "An account id is `AC` and digits; an API key is 32 ASCII letters and digits.",
        notHosted: "only a registration shows a new one, and that would mail somebody",
      },
      {
        id: "3.2",
        part: "fact",
        text: "An account has up to 10 keys; one more overwrites the oldest.",
        unseen: "further keys are made outside of the API",
      },
      {
        id: "3.3",
        part: "fact",
        text: "A key that is not used for 3 months is disabled.",
        unseen: "it takes 3 months",
      },
      {
        id: "3.4",
        part: "fact",
        text: "A login with `accountid` and `apikey` answers `servertimestamp` and sets the cookies `JSESSIONID` and `AWSALBAPP-0`.",
      },
      {
        id: "3.5",
        part: "fact",
        text: "Every login with a wrong account or key is refused with code 35, and with the same words.",
        notHosted: "it would look like guessing",
      },
      {
        id: "3.6",
        part: "fact",
        text: "A second login with one key within 5 s is refused with code 45.",
      },
      {
        id: "3.7",
        part: "fact",
        text: "The cookies go back on every call to `/item/set` and `/item/get`; without a session that lives, these answer 401 with code 10011.",
      },
      {
        id: "3.8",
        part: "fact",
        text: "Any later answer may renew the balancer's cookie.",
        unseen: "nobody can bring it about from outside; it binds clients",
      },
      {
        id: "3.9",
        part: "fact",
        text: "A session that is not used for 1 minute ends; one in use does not.",
        notHosted: "the suite would wait for a minute and log in again",
      },
      {
        id: "3.10",
        part: "fact",
        text: "The cookies do not work from another address.",
        notHosted: SECOND_ADDRESS,
      },
      { id: "3.11", part: "fact", text: "All parallel calls of an application share one session." },
      {
        id: "3.12",
        part: "fact",
        text: "Over plain HTTP no cookie is `Secure`: clients would not send it back.",
        notHosted: "it speaks TLS alone",
      },
      {
        id: "3.13",
        part: "decision",
        text: "A second login of a key opens another session and leaves the first one alone.",
      },
      {
        id: "3.14",
        part: "decision",
        text: "A session's address is that of the connection; `X-Forwarded-For` counts only from a proxy that the server trusts.",
      },
      {
        id: "3.15",
        part: "decision",
        text: "127.0.0.1, ::1 and ::ffff:127.0.0.1 are one address; other loopback addresses are others.",
        unseen: "a server is bound to one of them; that 127.0.0.2 is another is seen with 3.10",
      },
    ],
  },
  {
    title: "Portals and items",
    clauses: [
      {
        id: "4.1",
        part: "fact",
        text: "A portal's name has 1 to 32 ASCII letters and digits, as its user chose; another is refused with code 30.",
      },
      {
        id: "4.2",
        part: "fact",
        text: "An account has at most so many portals: 10 at the hosted service.",
        notHosted: SHUTS_OUT,
      },
      {
        id: "4.3",
        part: "fact",
        text: "Items are gone at a certain age (1 hour), and a portal goes with its content.",
        notHosted: "it takes an hour",
      },
      {
        id: "4.4",
        part: "fact",
        text: "An account reaches its own portals only; a name that another account uses as well is another portal.",
        notHosted: "it takes a second account",
      },
      {
        id: "4.5",
        part: "fact",
        text: "A payload is a UTF-8 string and comes back as it was set, Base64 and escapes included.",
      },
      {
        id: "4.6",
        part: "fact",
        text: "A set answers its `servertimestamp`, and its items bear it.",
      },
      {
        id: "4.7",
        part: "fact",
        text: "A portal is a ring: when sets outrun gets, the oldest items are overwritten.",
        notHosted: "the ring's size is not published",
      },
      {
        id: "4.8",
        part: "fact",
        text: "A `servertimestamp` inside an item that is set is taken, and means nothing.",
      },
      {
        id: "4.9",
        part: "fact",
        text: "A request has at most so many bytes (documented: 1 kB); a longer one is refused with code 20.",
        notHosted: "the documentation and the Python SDK name two different limits",
      },
      {
        id: "4.10",
        part: "decision",
        text: "The items of a portal have one order, that of their arrival, for every reader.",
      },
      {
        id: "4.11",
        part: "decision",
        text: "The items of one set share its timestamp and keep the order of the array.",
      },
      {
        id: "4.12",
        part: "decision",
        text: "The timestamps of a portal do not go back, even when the server's clock does.",
        unseen: "it takes a hand on the server's clock",
      },
      { id: "4.13", part: "decision", text: "A set of several items is all or nothing." },
      {
        id: "4.14",
        part: "decision",
        text: "An item that no line of an answer could hold is refused at set with code 20.",
      },
      {
        id: "4.15",
        part: "decision",
        text: "1 kB is 1,024 bytes: a request of exactly its limit is served.",
      },
      {
        id: "4.16",
        part: "decision",
        text: "Ages are counted by a clock that nobody sets, not by the time of day.",
        unseen: "it takes a hand on the server's clock",
      },
    ],
  },
  {
    title: "Gets",
    clauses: [
      {
        id: "5.1",
        part: "fact",
        text: 'A get answers `{"items":[{"portalid":…,"payload":…,"servertimestamp":…}, …]}`, or `{}` when there is nothing.',
      },
      {
        id: "5.2",
        part: "fact",
        text: "A get for named portals answers what is new since the last get in this session.",
      },
      {
        id: "5.3",
        part: "fact",
        text: "`portals: []` and `portals: null` answer the latest item of every portal of the account, whatever was read before.",
      },
      {
        id: "5.4",
        part: "fact",
        text: "There `mode`, `schedule` and `cutoff` have no effect.",
      },
      { id: "5.5", part: "fact", text: "`probe`, the default, answers at once." },
      {
        id: "5.6",
        part: "fact",
        text: "`watch` answers as soon as there is something new in any of the portals.",
      },
      { id: "5.7", part: "fact", text: "`watch` answers `{}` after 5 s without anything new." },
      {
        id: "5.8",
        part: "fact",
        text: "`stream` keeps the answer open for 5 s and writes items as they arrive: one JSON document a line, each ended by `\\n`.",
      },
      {
        id: "5.9",
        part: "fact",
        text: "`LIFO`, the default, is newest first; older items that do not fit may be skipped.",
      },
      { id: "5.10", part: "fact", text: "`FIFO` is oldest first." },
      {
        id: "5.11",
        part: "fact",
        text: "`cutoff` leaves out items that are older than so many ms; -1, the default, leaves out none.",
      },
      {
        id: "5.12",
        part: "fact",
        text: "The `servertimestamp` of a requested portal is the time from which items are wanted.",
        notHosted: "what the service makes of it is not known; no client of ours leans on it",
      },
      { id: "5.13", part: "fact", text: "Options that equal the default may be left out." },
      {
        id: "5.14",
        part: "fact",
        text: "A line of an answer has at most so many bytes and so many items.",
        notHosted: "the documentation and the Python SDK name two different limits",
      },
      {
        id: "5.15",
        part: "decision",
        text: "A session's first get of a portal starts at the oldest item that the ring still holds.",
      },
      {
        id: "5.16",
        part: "decision",
        text: "FIFO reads on after the last item delivered: what does not fit into a line is in the next one.",
      },
      {
        id: "5.17",
        part: "decision",
        text: "LIFO reads on after everything that was there, delivered or skipped.",
      },
      {
        id: "5.18",
        part: "decision",
        text: "The place moves when a line was handed to the connection.",
        unseen: "a client cannot tell when that is",
      },
      { id: "5.19", part: "decision", text: "`portals: []` moves no place." },
      {
        id: "5.20",
        part: "decision",
        text: "A reference time above 0 starts at the first item with that timestamp or a later one, whatever was read before; 0 is none.",
      },
      {
        id: "5.21",
        part: "decision",
        text: "No line is blank: a line is one JSON document and `\\n`.",
      },
      {
        id: "5.22",
        part: "decision",
        text: "A stream ends with the line `{}` only when it delivered nothing at all.",
      },
      {
        id: "5.23",
        part: "decision",
        text: "Gets of one session for one portal share the place: each item goes to one of them.",
      },
    ],
  },
  {
    title: "Shares",
    clauses: [
      {
        id: "6.1",
        part: "fact",
        text: "A key may make so many requests a second: 20 at the hosted service.",
        notHosted: SHUTS_OUT,
      },
      {
        id: "6.2",
        part: "fact",
        text: "An account may make so many requests in a month: 1,000,000 at the hosted service.",
        notHosted: SHUTS_OUT,
      },
      {
        id: "6.3",
        part: "fact",
        text: "A client has 25 requests under way at a time, as the Python SDK does, and is served.",
        notHosted: SHUTS_OUT,
      },
      {
        id: "6.4",
        part: "fact",
        text: "The Python SDK's timeouts: 5 s to connect, 10 s between two reads, 20 s in all, 600 s to keep a connection.",
        unseen: CLIENTS,
      },
      {
        id: "6.5",
        part: "fact",
        text: "The environment names `ACCOUNT_ID`, `API_KEY`, `LOGIN_URL`, `SET_URL` and `GET_URL`; an argument goes before the environment, the environment before a file.",
        unseen: CLIENTS,
      },
      {
        id: "6.6",
        part: "decision",
        text: "The limits are options; the presets `hosted` and `local` name two sets of them.",
        unseen: "options are given inside; each limit is asked for where it matters",
      },
    ],
  },
  {
    title: "Extensions",
    clauses: [
      {
        id: "7.1",
        part: "decision",
        text: "The answer to a login names the extensions that are offered; of others nothing is to be seen, and their headers mean nothing.",
      },
      {
        id: "7.2",
        part: "decision",
        text: "`seq`: the answer to a login has an `epoch`, every item a `seq`, which counts 1, 2, 3 in its portal without holes.",
      },
      {
        id: "7.3",
        part: "decision",
        text: "`idempotency`: a set whose `Idempotency-Key` and body are known gets the original answer, in any session of the account, and is stored once.",
      },
      {
        id: "7.4",
        part: "decision",
        text: "A known key with another body is refused with code 30.",
      },
      {
        id: "7.5",
        part: "decision",
        text: "A key is known for 2 minutes, and at most 100,000 of an account are.",
        unseen: "it takes minutes and 100,000 sets, and a server may know more",
      },
      {
        id: "7.6",
        part: "decision",
        text: "`order`: sets with `XRTC-Producer` and `XRTC-Sequence` are applied in the order of their numbers within producer and session, over whatever connections they come.",
      },
      {
        id: "7.7",
        part: "decision",
        text: "One that comes early waits at most 1 s for those before it, and is then refused with a group 2 error: it was not applied and may be sent again.",
      },
    ],
  },
];

export const CLAUSES: readonly Clause[] = SECTIONS.flatMap(({ clauses }) => clauses);

/** Whether the hosted service may be asked for a clause. */
export const isForHosted = (clause: Clause): boolean =>
  clause.part === "fact" && clause.unseen === undefined && clause.notHosted === undefined;
