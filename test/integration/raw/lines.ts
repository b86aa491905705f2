import {
  closed,
  COOKIE,
  goodSet,
  hidden,
  HOST,
  kept,
  lengthOf,
  lines,
  type RawFamily,
  request,
  SET,
} from "./form.js";

const START = "POST /v1/item/set HTTP/1.1";
const rest = [HOST, COOKIE, lengthOf(SET)];
const started = (start: string): string => request(start, rest, SET);
const good = goodSet();

/** The ends of lines, and what stands before a request. */
export const lineEnds: RawFamily = {
  kind: "ends of lines",
  forms: [
    closed("LF alone everywhere", good.replaceAll("\r\n", "\n"), 400),
    closed("LF alone after the first line", good.replace("\r\n", "\n"), 400),
    closed("LF alone after a header", good.replace(`${HOST}\r\n`, `${HOST}\n`), 400),
    closed("LF alone as the empty line", good.replace("\r\n\r\n", "\r\n\n"), 400),
    closed("LF LF at the end of the headers", good.replace("\r\n\r\n", "\n\n"), 400),
    closed("CR alone everywhere", good.replaceAll("\r\n", "\r"), 400),
    closed("CR alone after the first line", good.replace("\r\n", "\r"), 400),
    closed("CR alone after a header", good.replace(`${HOST}\r\n`, `${HOST}\r`), 400),
    closed("CR alone as the empty line", good.replace("\r\n\r\n", "\r\n\r"), 400),
    closed("CR CR LF", good.replaceAll("\r\n", "\r\r\n"), 400),
    closed("LF CR", good.replaceAll("\r\n", "\n\r"), 400),
    closed("CR in the first line", started("POST /v1/item/set\r HTTP/1.1"), 400),
    closed("CR within a header", good.replace(HOST, `${HOST}\rX-A: b`), 400),
    closed("a header hidden behind CR", good.replace(HOST, `X-A: b\r${HOST}`), 400),
    closed("NEL for an end", good.replaceAll("\r\n", "\x85"), 400),
    kept("empty lines before the request", `\r\n\r\n\r\n${good}`, 200),
    kept("LF before the request", `\n\n${good}`, 200),
    closed("a blank before the request", ` ${good}`, 400),
    closed("a BOM before the request", `\xef\xbb\xbf${good}`, 400),
    closed("NUL before the request", `\0${good}`, 400),
  ],
};

/** First lines. */
export const firstLines: RawFamily = {
  kind: "first lines",
  forms: [
    kept("two blanks before the target", started("POST  /v1/item/set HTTP/1.1"), 200),
    kept("two blanks before the version", started("POST /v1/item/set  HTTP/1.1"), 200),
    closed("tabs for blanks", started("POST\t/v1/item/set\tHTTP/1.1"), 400),
    closed("a blank at the end", started(`${START} `), 400),
    closed("something behind the version", started(`${START} x`), 400),
    closed("a small version", started("POST /v1/item/set http/1.1"), 400),
    closed("no version, HTTP/0.9", "GET /v1/item/get\r\n", 400),
    closed("no version, HTTP/0.9, with headers", started("POST /v1/item/set"), 505),
    closed("HTTP/0.9 by name", started("POST /v1/item/set HTTP/0.9"), 505),
    closed("HTTP/1", started("POST /v1/item/set HTTP/1"), 400),
    closed("HTTP/1.2", started("POST /v1/item/set HTTP/1.2"), 400),
    closed("HTTP/1.10", started("POST /v1/item/set HTTP/1.10"), 400),
    closed("HTTP/01.1", started("POST /v1/item/set HTTP/01.1"), 400),
    closed("HTTP/2.0", started("POST /v1/item/set HTTP/2.0"), 505),
    closed("HTTP/3", started("POST /v1/item/set HTTP/3"), 400),
    closed("HTTP/-1.1", started("POST /v1/item/set HTTP/-1.1"), 400),
    closed("HTTPS/1.1", started("POST /v1/item/set HTTPS/1.1"), 400),
    closed("RTSP/1.0", started("POST /v1/item/set RTSP/1.0"), 200),
    closed("ICE/1.0", started("SOURCE /v1/item/set ICE/1.0"), 405),
    closed("HTTP/1.0", started("POST /v1/item/set HTTP/1.0"), 200),
    closed(
      "HTTP/1.0 without a host",
      request("POST /v1/item/set HTTP/1.0", [COOKIE, lengthOf(SET)], SET),
      400,
    ),
    kept(
      "HTTP/1.0 that stays",
      request("POST /v1/item/set HTTP/1.0", [...rest, "Connection: keep-alive"], SET),
      200,
    ),
    closed("only a method", "POST\r\n\r\n", 400),
    closed("an empty target", started("POST  HTTP/1.1"), 400),
    closed("a first line of 9,000 bytes", started(`POST /${"a".repeat(9_000)} HTTP/1.1`), 431),
    kept("a first line of 7,000 bytes", started(`POST /${"a".repeat(7_000)} HTTP/1.1`), 404),
    closed("a first line that never ends", `POST /${"a".repeat(100_000)}`, 431),
  ],
};

/** What other protocols say first. */
export const otherProtocols: RawFamily = {
  kind: "other protocols",
  forms: [
    closed("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    closed(
      "the preface of HTTP/2 and settings",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
      400,
    ),
    closed("a TLS handshake", `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${"\x5a".repeat(64)}`, 400),
    closed("SSH", "SSH-2.0-OpenSSH_9.6\r\n", 400),
    closed("SMTP", "EHLO evil.example\r\n", 400),
    closed("Redis", "*1\r\n$4\r\nPING\r\n", 400),
    closed("SOCKS 5", "\x05\x01\0", 400),
    closed("MQTT", "\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test", 400),
    closed("the PROXY protocol", `PROXY TCP4 10.0.0.1 127.0.0.1 1 2\r\n${good}`, 400),
    closed(
      "the PROXY protocol, version 2",
      `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c${"\x7f".repeat(12)}`,
      400,
    ),
    closed("FTP", "USER anonymous\r\n", 400),
    closed("SIP", "INVITE sip:a@localhost SIP/2.0\r\n\r\n", 400),
    closed("a JSON document", '{"portals":[]}\r\n', 400),
    closed("a web page", "<!doctype html>\r\n\r\n", 400),
    closed("zeros", "\0".repeat(1_000), 400),
    closed("ones", "\xff".repeat(1_000), 400),
    closed("gzip", "\x1f\x8b\x08\0\0\0\0\0\0\x03", 400),
    closed("an answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    closed("nothing but empty lines", "\r\n".repeat(5_000), 408, { isAlone: true }),
    closed("nothing", "", 408, { isAlone: true }),
    closed("half a first line", "POST /v1/ite", 408, { isAlone: true }),
    closed("half a header", lines(START, "Host: loc"), 408, { isAlone: true }),
    closed("headers without their end", lines(START, ...rest, ""), 408, { isAlone: true }),
    closed("headers without their end, and another request", lines(START, ...rest, ""), 400),
  ],
};

const method = (name: string, status: number): RawFamily["forms"][number] =>
  (status === 400 ? closed : kept)(
    `the method ${JSON.stringify(name)}`,
    started(`${name} /v1/item/set HTTP/1.1`),
    status,
  );

/** Methods, of which only one is known. */
export const methods: RawFamily = {
  kind: "methods",
  forms: [
    ...[
      "GET",
      "PUT",
      "DELETE",
      "OPTIONS",
      "TRACE",
      "PATCH",
      "PROPFIND",
      "M-SEARCH",
      "PURGE",
      "LOCK",
    ].map((name) => method(name, 405)),
    kept("the method HEAD", started("HEAD /v1/item/set HTTP/1.1"), 405, { isHead: true }),
    ...[
      "post",
      "Post",
      "BREW",
      "POSTS",
      "POS",
      "PO ST",
      "P\0ST",
      "PÖST",
      "",
      "POST:",
      '"POST"',
      "P".repeat(300),
    ].map((name) => method(name, 400)),
    kept(
      "a GET with a body",
      request("GET /v1/item/get HTTP/1.1", [HOST, COOKIE, lengthOf(hidden)], hidden),
      405,
    ),
    kept("a GET without a body", request("GET /v1/item/get HTTP/1.1", [HOST, COOKIE]), 405),
    kept("a method in a header of another name", goodSet("X-HTTP-Method-Override: DELETE"), 200),
  ],
};
