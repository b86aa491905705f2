import {
  CHUNKED,
  closed,
  COOKIE,
  goodSet,
  HOST,
  kept,
  lengthOf,
  post,
  postWith,
  type RawFamily,
  request,
  SESSION,
  SET,
  setBody,
} from "./form.js";

const REFUSED_IN_NAMES = '"(),/;<=>?@[\\]{} \t\0\x01\x0b\x0c\x7f\x80\xa0\xff';
const bad = (name: string, header: string): RawFamily["forms"][number] =>
  closed(name, goodSet(header), 400);

/** Headers that are none, or in another shape than name, colon, value. */
export const headerShapes: RawFamily = {
  kind: "headers",
  forms: [
    ...REFUSED_IN_NAMES.split("").map((byte) =>
      bad(`${JSON.stringify(byte)} in a name`, `X${byte}A: b`),
    ),
    ..."\0\x01\x08\x0b\x0c\x1b\x7f"
      .split("")
      .map((byte) => bad(`${JSON.stringify(byte)} in a value`, `X-A: b${byte}c`)),
    bad("a blank before the colon", "X-A : b"),
    bad("a tab before the colon", "X-A\t: b"),
    bad("no colon", "nonsense"),
    bad("no name", ": b"),
    bad("a blank for a name", " : b"),
    closed(
      "a blank before the first header",
      request("POST /v1/item/set HTTP/1.1", [` ${HOST}`, HOST, COOKIE, lengthOf(SET)], SET),
      400,
    ),
    closed("a folded header", goodSet("X-A: b\r\n c"), 400),
    closed("a folded header with a tab", goodSet("X-A: b\r\n\tc"), 400),
    closed(
      "a folded host",
      request("POST /v1/item/set HTTP/1.1", ["Host:\r\n localhost", COOKIE, lengthOf(SET)], SET),
      400,
    ),
    closed(
      "a folded cookie",
      postWith("/item/set", [HOST, `Cookie:\r\n JSESSIONID=${SESSION}`, lengthOf(SET)], SET),
      400,
    ),
    closed(
      "a folded length",
      postWith("/item/set", [HOST, COOKIE, `Content-Length:\r\n ${SET.length}`], SET),
      400,
    ),
    closed("a line of blanks among the headers", goodSet("X-A: b\r\n "), 400),
    kept("an empty value", goodSet("X-A:"), 200),
    kept("blanks around a value", goodSet("X-A:  \t b \t "), 200),
    kept("high bytes in a value", goodSet("X-A: \x80\xff"), 200),
    kept("odd bytes that names may have", goodSet("!#$%&'*+-.^_`|~0: b"), 200),
    kept(
      "a name out of a prototype",
      goodSet("__proto__: b", "constructor: c", "toString: d"),
      200,
    ),
    kept("a name of 1,000 letters", goodSet(`${"X".repeat(1_000)}: b`), 200),
    kept("one header fifty times", goodSet(...Array.from({ length: 50 }, () => "X-A: b")), 200),
  ],
};

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `X-${at}: y`);

/** As many headers, and as large ones, as there may be, and more. */
export const headerBounds: RawFamily = {
  kind: "bounds of headers",
  forms: [
    kept("64 headers", goodSet(...many(61)), 200),
    closed("65 headers", goodSet(...many(62)), 431),
    closed("66 headers", goodSet(...many(63)), 431),
    closed("600 headers", goodSet(...many(597)), 431),
    closed("50,000 headers", goodSet(many(50_000).join("\r\n")), 431),
    kept("headers of 7 KiB", goodSet(`X-A: ${"b".repeat(7_000)}`), 200),
    closed("headers of 9 KiB", goodSet(`X-A: ${"b".repeat(9_000)}`), 431),
    closed(
      "headers of 9 KiB in many",
      goodSet(...many(60).map((line) => line + "z".repeat(150))),
      431,
    ),
    closed("a header of 1 MiB", goodSet(`X-A: ${"b".repeat(1_048_576)}`), 431),
    closed("a name of 1 MiB", goodSet(`${"X".repeat(1_048_576)}: b`), 431),
    closed(
      "a header that never ends",
      `POST /v1/item/set HTTP/1.1\r\nX-A: ${"b".repeat(50_000)}`,
      431,
    ),
  ],
};

const withCookie = (...cookies: readonly string[]): string =>
  postWith("/item/set", [HOST, ...cookies, lengthOf(SET)], SET);
const other = "0".repeat(32);

/** Cookies, of which the first of its name counts. */
export const cookies: RawFamily = {
  kind: "cookies",
  forms: [
    kept("no cookie", withCookie(), 401),
    kept("an empty cookie", withCookie("Cookie:"), 401),
    kept("a session that nobody has", withCookie(`Cookie: JSESSIONID=${other}`), 401),
    kept("a session out of a prototype", withCookie("Cookie: JSESSIONID=__proto__"), 401),
    kept("an empty session", withCookie("Cookie: JSESSIONID="), 401),
    kept("a session in small letters", withCookie(`Cookie: jsessionid=${SESSION}`), 401),
    kept("a session and more", withCookie(`Cookie: JSESSIONID=${SESSION}0`), 401),
    kept("a session with a blank in it", withCookie(`Cookie: JSESSIONID= ${SESSION} `), 200),
    kept("a session in quotes", withCookie(`Cookie: JSESSIONID="${SESSION}"`), 200),
    kept(
      "two sessions, ours first",
      withCookie(`Cookie: JSESSIONID=${SESSION}; JSESSIONID=${other}`),
      200,
    ),
    kept(
      "two sessions, ours last",
      withCookie(`Cookie: JSESSIONID=${other}; JSESSIONID=${SESSION}`),
      401,
    ),
    kept("two cookie headers, ours first", withCookie(COOKIE, `Cookie: JSESSIONID=${other}`), 200),
    kept("two cookie headers, ours last", withCookie(`Cookie: JSESSIONID=${other}`, COOKIE), 401),
    kept(
      "cookies of others around",
      withCookie(`Cookie: a=b; =; ;;=c; d; ${COOKIE.slice(8)}; e="f;g"`),
      200,
    ),
    kept(
      "a cookie of version 1",
      withCookie(`Cookie: $Version=1; ${COOKIE.slice(8)}; $Path=/`),
      200,
    ),
    kept("a cookie of 7,000 semicolons", withCookie(`Cookie: ${";".repeat(7_000)}`), 401),
    kept("a session of 7,000 letters", withCookie(`Cookie: JSESSIONID=${"A".repeat(7_000)}`), 401),
    kept("a session in Cookie2", withCookie(COOKIE.replace("Cookie", "Cookie2")), 401),
    kept("a session as authorization", withCookie(`Authorization: Bearer ${SESSION}`), 401),
    kept(
      "a session in the query",
      postWith(`/item/set;jsessionid=${SESSION}`, [HOST, lengthOf(SET)], SET),
      404,
    ),
  ],
};

/** What web pages, proxies and the extensions write into headers. */
export const meanings: RawFamily = {
  kind: "meanings of headers",
  forms: [
    kept("a foreign origin", goodSet("Origin: http://evil.example"), 403),
    kept("the origin null", goodSet("Origin: null"), 403),
    kept("an origin of another port", goodSet("Origin: http://localhost:1880"), 403),
    kept("an origin that begins like ours", goodSet("Origin: http://localhost.evil.example"), 403),
    kept("two origins", goodSet("Origin: http://localhost", "Origin: http://evil.example"), 403),
    kept(
      "two origins, the foreign one first",
      goodSet("Origin: http://evil.example", "Origin: http://localhost"),
      403,
    ),
    kept("our origin", goodSet("Origin: http://localhost"), 200),
    kept("an empty origin", goodSet("Origin:"), 403),
    kept("a page of another site", goodSet("Sec-Fetch-Site: cross-site"), 403),
    kept("a page of another site in capitals", goodSet("Sec-Fetch-Site: Cross-Site"), 403),
    kept(
      "a page of another site, told twice",
      goodSet("Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none"),
      403,
    ),
    kept(
      "a page of another site, told last",
      goodSet("Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"),
      403,
    ),
    kept("the address bar", goodSet("Sec-Fetch-Site: none"), 200),
    closed(
      "a preflight",
      request("OPTIONS /v1/item/set HTTP/1.1", [
        HOST,
        "Origin: http://evil.example",
        "Access-Control-Request-Method: POST",
        "Connection: close",
      ]),
      403,
    ),
    kept("Expect", goodSet("Expect: 100-continue"), [100, 200]),
    kept("Expect in capitals", goodSet("EXPECT: 100-CONTINUE"), [100, 200]),
    closed("Expect of something else", goodSet("Expect: 200-ok"), 417),
    closed("Expect twice", goodSet("Expect: 100-continue", "Expect: 100-continue"), 417),
    closed("an empty Expect", goodSet("Expect:"), 417),
    closed(
      "Expect without a body",
      postWith("/item/set", [HOST, COOKIE, lengthOf(SET), "Expect: 100-continue"]),
      [100, 408],
      { isAlone: true },
    ),
    closed(
      "Expect with a body over the bound",
      postWith("/item/set", [HOST, COOKIE, "Content-Length: 9999999", "Expect: 100-continue"]),
      400,
      { isAlone: true },
    ),
    closed(
      "Expect with two hosts",
      postWith("/item/set", [HOST, HOST, COOKIE, lengthOf(SET), "Expect: 100-continue"], SET),
      400,
    ),
    closed(
      "Expect in HTTP/1.0",
      request(
        "POST /v1/item/set HTTP/1.0",
        [HOST, COOKIE, lengthOf(SET), "Expect: 100-continue"],
        SET,
      ),
      200,
    ),
    kept(
      "Expect with chunks",
      postWith(
        "/item/set",
        [HOST, COOKIE, CHUNKED, "Expect: 100-continue"],
        `${SET.length.toString(16)}\r\n${SET}\r\n0\r\n\r\n`,
      ),
      [100, 200],
    ),
    kept("TE", goodSet("TE: trailers, deflate;q=0.5", "Connection: TE"), 200),
    kept("an announced trailer", goodSet("Trailer: X-A"), 200),
    closed("Connection: close", goodSet("Connection: close"), 200),
    closed("Connection: close among others", goodSet("Connection: keep-alive, close"), 200),
    kept("Connection: odd", goodSet("Connection: ,, odd ,"), 200),
    kept(
      "Connection that names other headers",
      goodSet("Connection: Content-Length, Host, Cookie"),
      200,
    ),
    kept("Keep-Alive", goodSet("Keep-Alive: timeout=999999, max=1"), 200),
    kept("a range", goodSet("Range: bytes=0-0"), 200),
    kept(
      "a condition",
      goodSet("If-None-Match: *", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"),
      200,
    ),
    kept("a forged address", goodSet("X-Forwarded-For: 10.0.0.1"), 200),
    kept("a hundred forged addresses", goodSet(`X-Forwarded-For: ${"10.0.0.1,".repeat(100)}`), 200),
    ...["", " ", "a b", "\xff", "a".repeat(256)].map((key) =>
      kept(
        `the idempotency key ${JSON.stringify(key).slice(0, 20)}`,
        goodSet(`Idempotency-Key: ${key}`),
        400,
      ),
    ),
    kept("two idempotency keys", goodSet("Idempotency-Key: a", "Idempotency-Key: b"), 400),
    kept("an idempotency key out of a prototype", goodSet("Idempotency-Key: __proto__"), 200),
    ...["0", "-1", "1.5", "1e3", "01", "+1", "0x1", "9".repeat(16), "Infinity", "", "1,2"].map(
      (number) =>
        kept(
          `the sequence ${JSON.stringify(number)}`,
          goodSet("XRTC-Producer: P", `XRTC-Sequence: ${number}`),
          400,
        ),
    ),
    kept("a sequence without a producer", goodSet("XRTC-Sequence: 1"), 400),
    kept("a producer without a sequence", goodSet("XRTC-Producer: P"), 400),
    kept(
      "a producer out of a prototype",
      post("/item/set", setBody("FORM"), "XRTC-Producer: __proto__", "XRTC-Sequence: 1"),
      200,
    ),
    kept(
      "a sequence far ahead",
      goodSet("XRTC-Producer: Q", "XRTC-Sequence: 999999999999999"),
      400,
    ),
  ],
};
