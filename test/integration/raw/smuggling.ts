import {
  CHUNKED,
  closed,
  COOKIE,
  goodSet,
  hidden,
  HOST,
  kept,
  lengthOf,
  post,
  postWith,
  type RawFamily,
  request,
  SET,
} from "./form.js";

const set = (headers: readonly string[], body: string): string =>
  postWith("/item/set", [HOST, COOKIE, ...headers], body);
const good = goodSet();
const times = (count: number, text: string): string => text.repeat(count);
const codes = (count: number, status: number): number[] =>
  Array.from({ length: count }, () => status);
const chunk = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n`;
const LAST = "0\r\n\r\n";
const everything = post("/item/get", '{"portals":[{"portalid":"FORM","servertimestamp":1}]}');

/** Requests one behind the other. */
export const pipelines: RawFamily = {
  kind: "pipelines",
  forms: [
    kept("two requests", times(2, good), codes(2, 200)),
    kept("ten requests", times(10, good), codes(10, 200)),
    kept("two hundred requests", times(200, good), codes(200, 200)),
    kept("two hundred answers that are large", times(200, everything), codes(200, 200)),
    kept("empty lines between requests", `${good}\r\n\r\n${good}`, codes(2, 200)),
    kept(
      "a good one, a bad one, a good one",
      good + post("/item/set", "{}") + good,
      [200, 400, 200],
    ),
    kept("an unknown call between", good + post("/nothing", "") + good, [200, 404, 200]),
    kept(
      "one without a session between",
      good + postWith("/item/set", [HOST, lengthOf(SET)], SET) + good,
      [200, 401, 200],
    ),
    kept("HEAD and another", request("HEAD / HTTP/1.1", [HOST]) + good, [404, 200], {
      isHead: true,
    }),
    kept("chunks and another", set([CHUNKED], chunk(SET) + LAST) + good, codes(2, 200)),
    kept("Expect and another", goodSet("Expect: 100-continue") + good, [100, 200, 200]),
    kept(
      "HTTP/1.0 that stays, and another",
      request(
        "POST /v1/item/set HTTP/1.0",
        [HOST, COOKIE, lengthOf(SET), "Connection: keep-alive"],
        SET,
      ) + good,
      codes(2, 200),
    ),
    closed("garbage behind a request", `${good}nonsense\r\n\r\n`, [200, 400]),
    closed("garbage behind ten requests", `${times(10, good)}nonsense\r\n\r\n`, [
      ...codes(10, 200),
      400,
    ]),
    closed(
      "too many headers behind a request",
      good + goodSet(...Array.from({ length: 99 }, () => "X: y")),
      [200, 431],
    ),
    closed(
      "a header that is too large behind a request",
      good + goodSet(`X: ${"y".repeat(9_000)}`),
      [200, 431],
    ),
    closed("half a request behind a request", good + good.slice(0, -5), [200, 408], {
      isAlone: true,
    }),
    closed("half of the headers behind a request", good + good.slice(0, 40), [200, 408], {
      isAlone: true,
    }),
  ],
};

/** Requests that hide, in a body or behind an end, from one of two that read the same bytes. */
export const smuggled: RawFamily = {
  kind: "smuggling",
  forms: [
    kept("a request as a body", post("/item/set", hidden), 400),
    kept("a request as a body in chunks", set([CHUNKED], chunk(hidden) + LAST), 400),
    kept(
      "a request as a body in chunks of a byte",
      set([CHUNKED], hidden.split("").map(chunk).join("") + LAST),
      400,
    ),
    kept(
      "a request as the body of a GET",
      request("GET /v1/item/get HTTP/1.1", [HOST, COOKIE, lengthOf(hidden)], hidden),
      405,
    ),
    kept(
      "a request as the body of a HEAD",
      request("HEAD /v1/item/get HTTP/1.1", [HOST, lengthOf(hidden)], hidden),
      405,
      { isHead: true },
    ),
    kept("a request as the body of a call that is none", post("/nothing", hidden), 404),
    kept(
      "a request as the body of one without a session",
      postWith("/item/set", [HOST, lengthOf(hidden)], hidden),
      401,
    ),
    closed(
      "a length first, chunks to follow",
      set([lengthOf(LAST + hidden), CHUNKED], LAST + hidden),
      400,
    ),
    closed(
      "chunks first, a length to follow",
      set([CHUNKED, "Content-Length: 4"], chunk(hidden) + LAST),
      400,
    ),
    closed(
      "two codings, the second unknown",
      set([CHUNKED, "Transfer-Encoding: x"], LAST + hidden),
      400,
    ),
    closed(
      "two codings, the first unknown",
      set(["Transfer-Encoding: x", CHUNKED], LAST + hidden),
      501,
    ),
    closed(
      "a coding with a blank before its colon",
      set([lengthOf(LAST + hidden), "Transfer-Encoding : chunked"], LAST + hidden),
      400,
    ),
    closed(
      "a coding behind a folded line",
      set([lengthOf(LAST + hidden), "X: y\r\n Transfer-Encoding: chunked"], LAST + hidden),
      400,
    ),
    closed(
      "a coding behind LF",
      set([lengthOf(LAST + hidden), "X: y\nTransfer-Encoding: chunked"], LAST + hidden),
      400,
    ),
    closed(
      "a coding behind CR",
      set([lengthOf(LAST + hidden), "X: y\rTransfer-Encoding: chunked"], LAST + hidden),
      400,
    ),
    closed(
      "a coding behind NUL",
      set([lengthOf(LAST + hidden), "X: y\0Transfer-Encoding: chunked"], LAST + hidden),
      400,
    ),
    closed(
      "a coding with a high byte before it",
      set([lengthOf(LAST + hidden), "\xa0Transfer-Encoding: chunked"], LAST + hidden),
      400,
    ),
    closed(
      "two lengths, the second hides",
      set([lengthOf(hidden), "Content-Length: 0"], hidden),
      400,
    ),
    closed("a length in an odd form", set([lengthOf(hidden), "Content-Length : 0"], hidden), 400),
    closed(
      "a chunk's extension that hides a line",
      set([CHUNKED], `2;\n${hidden}\r\n${LAST}`),
      400,
    ),
    closed("a chunk's size that is cut by one parser", set([CHUNKED], `0;x\r${hidden}`), 400),
    closed("a request for trailers", set([CHUNKED], `0\r\n${hidden}`), 400),
    closed("a request behind Connection: close", goodSet("Connection: close") + hidden, 200),
    closed(
      "ten requests behind Connection: close",
      goodSet("Connection: close") + times(10, hidden),
      200,
    ),
    closed(
      "a request behind HTTP/1.0",
      request("POST /v1/item/set HTTP/1.0", [HOST, COOKIE, lengthOf(SET)], SET) + hidden,
      200,
    ),
    closed("a request behind HTTP/0.9", `POST /v1/item/set\r\n\r\n${hidden}`, 505),
    closed(
      "a request behind two hosts",
      request("POST /v1/item/set HTTP/1.1", [HOST, HOST, COOKIE, lengthOf(SET)], SET) + hidden,
      400,
    ),
    closed(
      "a request behind too many headers",
      goodSet(...Array.from({ length: 99 }, () => "X: y")) + hidden,
      431,
    ),
    closed(
      "a request behind a coding that is unknown",
      set(["Transfer-Encoding: gzip, chunked"], chunk(SET) + LAST) + hidden,
      501,
    ),
    closed("a request behind an expectation that is unknown", goodSet("Expect: x") + hidden, 417),
    closed(
      "a request behind an Upgrade",
      goodSet("Connection: Upgrade", "Upgrade: websocket") + hidden,
      400,
    ),
    closed(
      "a request behind a body over the bound",
      post("/item/set", "x".repeat(1_048_577)) + hidden,
      400,
    ),
    closed(
      "a request behind CONNECT",
      request("CONNECT localhost:1 HTTP/1.1", [HOST]) + hidden,
      405,
    ),
    closed("a request behind garbage", `nonsense\r\n\r\n${hidden}`, 400),
    closed("a request in a header", goodSet(`X-A: b\r\n\r\n${hidden}`), [400, 400]),
    closed(
      "a request in the target",
      request("POST /v1/item/set HTTP/1.1\r\n\r\n", [HOST], hidden),
      [400, 400],
    ),
  ],
};
