import {
  closed,
  COOKIE,
  hidden,
  HOST,
  kept,
  lengthOf,
  post,
  type RawFamily,
  request,
  SET,
  utf8,
} from "./form.js";

const rest = [COOKIE, lengthOf(SET)];
const to = (target: string): string => request(`POST ${target} HTTP/1.1`, [HOST, ...rest], SET);
const unknown = (target: string): RawFamily["forms"][number] =>
  kept(`the target ${JSON.stringify(target).slice(0, 40)}`, to(target), 404);

/** Targets that are not simply the path of a call. */
export const targets: RawFamily = {
  kind: "targets",
  forms: [
    kept("an absolute target that is ours", to("http://localhost/v1/item/set"), 400),
    kept("an absolute target of somebody else", to("http://evil.example/v1/item/set"), 400),
    kept("an absolute target under TLS", to("https://localhost/v1/item/set"), 400),
    kept("an absolute target with a user", to("http://a:b@localhost/v1/item/set"), 400),
    kept("an absolute target in capitals", to("HTTP://localhost/v1/item/set"), 400),
    kept("an absolute target of another protocol", to("file:///etc/passwd"), 400),
    closed("a target with an authority", to("localhost:443"), 400),
    kept("an asterisk", to("*"), 400),
    kept("an asterisk for OPTIONS", request("OPTIONS * HTTP/1.1", [HOST]), 400),
    closed("a path without its slash", to("v1/item/set"), 400),
    closed("a path with a dot for its slash", to("./v1/item/set"), 400),
    ...[
      "/",
      "/v1",
      "//v1/item/set",
      "/v1//item/set",
      "/v1/item/set/",
      "/v1/../v1/item/set",
      "/./v1/item/set",
      "/V1/ITEM/SET",
      "/v1/item%2fset",
      "/v1/item/se%74",
      "/v1/item/set%00",
      "/v1/item/set%0d%0aX-A:%20b",
      "/v1/item/set%",
      "/v1/item/set%zz",
      "/v1/item/set;a=b",
      "/v1/item/set#a",
      "/v1\\item\\set",
      "/v1/item/set,/v1/item/get",
      "/../../../etc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/v1/__proto__",
      "/v1/constructor",
      "/__proto__",
      "/toString",
      `/v1/item/set${"/".repeat(5_000)}`,
      `/${"%41".repeat(2_000)}`,
      "/v1/item/set'\"<>|^`{}",
    ].map(unknown),
    kept("a query", to("/v1/item/set?a=b&c"), 200),
    kept("a query of question marks", to(`/v1/item/set${"?".repeat(4_000)}`), 200),
    kept("a query that is a target", to("/v1/item/set?http://evil.example/"), 200),
    closed("a blank in the path", to("/v1/item/set x"), 400),
    closed("a tab in the path", to("/v1/item/set\tx"), 400),
    closed("NUL in the path", to("/v1/item/set\0"), 400),
    closed("DEL in the path", to("/v1/item/set\x7f"), 400),
    closed("a control byte in the path", to("/v1/\x01/set"), 400),
    closed("LF in the path", to("/v1/item/set\nX-A: b"), 505),
    closed("UTF-8 in the path", to(utf8("/v1/item/größe")), 400),
    closed("bytes that are no UTF-8 in the path", to("/v1/item/\xff\xfe"), 400),
  ],
};

const connectTo = (target: string, ...headers: readonly string[]): string =>
  request(`CONNECT ${target} HTTP/1.1`, headers);

/** CONNECT, and wishes for another protocol. */
export const tunnels: RawFamily = {
  kind: "tunnels",
  forms: [
    closed("CONNECT", connectTo("localhost:443", HOST), 405),
    closed(
      "CONNECT to somebody else",
      connectTo("evil.example:443", "Host: evil.example:443"),
      405,
    ),
    closed("CONNECT without a host", connectTo("localhost:443"), 405),
    closed("CONNECT with a request in it", connectTo("localhost:443", HOST) + hidden, 405),
    closed(
      "CONNECT with a body",
      request("CONNECT localhost:443 HTTP/1.1", [HOST, lengthOf(hidden)], hidden),
      405,
    ),
    closed("CONNECT to a path", connectTo("/v1/item/set", HOST), 405),
    closed(
      "CONNECT behind a request",
      post("/item/set", SET) + connectTo("localhost:443", HOST),
      [],
    ),
    ...["websocket", "h2c", "TLS/1.0", "foo/2", ""].map((protocol) =>
      closed(
        `Upgrade: ${protocol}`,
        post("/item/set", SET, "Connection: Upgrade", `Upgrade: ${protocol}`),
        400,
      ),
    ),
    closed("Upgrade without Connection", post("/item/set", SET, "Upgrade: websocket"), 400),
    closed(
      "h2c with its settings",
      post(
        "/item/set",
        SET,
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
      ),
      400,
    ),
    closed(
      "a GET for a websocket",
      request("GET /v1/item/get HTTP/1.1", [
        HOST,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
      ]),
      400,
    ),
  ],
};

const host = (value: string): string =>
  request("POST /v1/item/set HTTP/1.1", [`Host: ${value}`, ...rest], SET);
const foreign = (value: string): RawFamily["forms"][number] =>
  kept(`the host ${JSON.stringify(value)}`, host(value), 403);

/** Hosts: of ours, of others, and none that is one. */
export const hosts: RawFamily = {
  kind: "hosts",
  forms: [
    ...[
      "localhost",
      "LOCALHOST",
      "localhost:8480",
      "127.0.0.1",
      "127.0.0.5:1",
      "[::1]",
      "[::1]:8480",
    ].map((value) => kept(`the host ${value}`, host(value), 200)),
    ...[
      "",
      "evil.example",
      "localhost.evil.example",
      "evil.example:8480",
      "127.0.0.1.evil.example",
      "localhost.",
      "localhost:",
      "localhost:abc",
      "localhost:999999",
      "localhost:80:80",
      "user@localhost",
      "localhost/path",
      "localhost#a",
      "localhost?a",
      "localhost, evil.example",
      "localhost evil.example",
      "127.1",
      "0x7f.0.0.1",
      "2130706433",
      "127.000.000.001",
      "0.0.0.0",
      "10.0.0.1",
      "192.168.1.1",
      "[::1",
      "::1",
      "[::2]",
      "[::1%25lo]",
      "[::ffff:10.0.0.1]",
      "localhost%00",
      "%6cocalhost",
      utf8("löcalhost"),
      "*",
      "-",
      "a".repeat(300),
      "__proto__",
    ].map(foreign),
    closed("NUL in the host", host("localhost\0"), 400),
    kept("no host", request("POST /v1/item/set HTTP/1.1", rest, SET), 400),
    closed(
      "two equal hosts",
      request("POST /v1/item/set HTTP/1.1", [HOST, HOST, ...rest], SET),
      400,
    ),
    closed(
      "two hosts, ours first",
      request("POST /v1/item/set HTTP/1.1", [HOST, "Host: evil.example", ...rest], SET),
      400,
    ),
    closed(
      "two hosts, ours last",
      request("POST /v1/item/set HTTP/1.1", ["Host: evil.example", HOST, ...rest], SET),
      400,
    ),
    closed(
      "two hosts in two spellings",
      request("POST /v1/item/set HTTP/1.1", [HOST, "hOST: localhost", ...rest], SET),
      400,
    ),
    kept(
      "a host of another name",
      post("/item/set", SET, "X-Forwarded-Host: evil.example", "X-Host: evil.example"),
      200,
    ),
    kept(
      "a forwarded header",
      post("/item/set", SET, "Forwarded: for=10.0.0.1;host=evil.example"),
      200,
    ),
  ],
};
