/** A request as it stands on the wire, and what must become of it. */
export interface RawForm {
  readonly name: string;
  /** In latin1: a character is a byte. {@link SESSION} stands for the id of a session that is logged in. */
  readonly bytes: string;
  /** The statuses of all answers, in their order; 100 among them. */
  readonly answers: readonly number[];
  /** Whether the connection serves another request after it. */
  readonly end: "kept" | "closed";
  /** What another version of Node.js makes of it. */
  readonly or?: Pick<RawForm, "answers" | "end">;
  /** Nothing is sent after it: what it leaves open stays open until the server's patience is over. */
  readonly isAlone?: true;
  /** Answers to HEAD have no body. */
  readonly isHead?: true;
}

/** Forms of one kind. */
export interface RawFamily {
  readonly kind: string;
  readonly forms: readonly RawForm[];
}

export const HOST = "Host: localhost";
/** As long as the id that is put in its place, so that lengths do not change. */
export const SESSION = "@".repeat(32);
export const COOKIE = `Cookie: JSESSIONID=${SESSION}`;
export const CHUNKED = "Transfer-Encoding: chunked";

/** A text whose characters are the bytes of its UTF-8. */
export const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

export const lengthOf = (body: string): string => `Content-Length: ${body.length}`;

export const lines = (...all: readonly string[]): string => all.join("\r\n");

/** A request from its first line, its headers and its body. */
export const request = (start: string, headers: readonly string[], body = ""): string =>
  lines(start, ...headers, "", body);

/** A POST with exactly these headers. */
export const postWith = (path: string, headers: readonly string[], body = ""): string =>
  request(`POST /v1${path} HTTP/1.1`, headers, body);

/** A POST that lacks nothing. */
export const post = (path: string, body: string, ...headers: readonly string[]): string =>
  postWith(path, [HOST, COOKIE, lengthOf(body), ...headers], body);

/** A set of one item, whose effect can be looked for. */
export const setBody = (portalid: string): string =>
  `{"items":[{"portalid":"${portalid}","payload":"x"}]}`;

/** A portal that is never set to by a request which is answered: what is found there was smuggled in. */
export const HIDDEN = "HIDDEN";

/** A whole request that hides in another one's body, or behind one that ends the connection. */
export const hidden = post("/item/set", setBody(HIDDEN));

export const SET = setBody("FORM");
export const goodSet = (...headers: readonly string[]): string =>
  post("/item/set", SET, ...headers);

type Rest = Partial<Pick<RawForm, "or" | "isAlone" | "isHead">>;

export const orKept = (...answers: readonly number[]): Rest => ({ or: { answers, end: "kept" } });
export const orClosed = (...answers: readonly number[]): Rest => ({
  or: { answers, end: "closed" },
});

/** A form after which the connection serves on. */
export const kept = (
  name: string,
  bytes: string,
  answers: number | readonly number[],
  rest: Rest = {},
): RawForm => ({ name, bytes, answers: [answers].flat(), end: "kept", ...rest });

/** A form that ends its connection. */
export const closed = (
  name: string,
  bytes: string,
  answers: number | readonly number[],
  rest: Rest = {},
): RawForm => ({ name, bytes, answers: [answers].flat(), end: "closed", ...rest });
