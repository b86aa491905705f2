import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { kept, post, postWith, type RawFamily, HOST, COOKIE, lengthOf, SET, utf8 } from "./form.js";

type Form = RawFamily["forms"][number];

const latin1 = (bytes: Buffer): string => bytes.toString("latin1");
const set = (name: string, body: string, status: number): Form =>
  kept(name, post("/item/set", body), status);
const get = (name: string, body: string, status: number): Form =>
  kept(name, post("/item/get", body), status);
const coded = (coding: string, body: string, status: number): Form =>
  kept(`a body in ${coding}`, post("/item/set", body, `Content-Encoding: ${coding}`), status);
const typed = (type: string): Form =>
  kept(`the type ${type}`, post("/item/set", SET, `Content-Type: ${type}`), 200);
const item = (portalid: string, payload = '"x"'): string =>
  `{"items":[{"portalid":${portalid},"payload":${payload}}]}`;
const repeated = (text: string, count: number): string =>
  Array.from({ length: count }, () => text).join(",");

/** What a body may be written in. */
export const encodings: RawFamily = {
  kind: "encodings",
  forms: [
    coded("gzip", latin1(gzipSync(SET)), 400),
    coded("deflate", latin1(deflateSync(SET)), 400),
    coded("br", latin1(brotliCompressSync(SET)), 400),
    coded("gzip that is a bomb", latin1(gzipSync(Buffer.alloc(5_000_000))), 400),
    coded("gzip by name only", SET, 200),
    ...[
      "text/plain",
      "text/plain; charset=utf-16",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json; charset=iso-8859-1",
      "__proto__",
      "",
    ].map(typed),
    set("a BOM", `\xef\xbb\xbf${SET}`, 200),
    set("two BOMs", `\xef\xbb\xbf\xef\xbb\xbf${SET}`, 200),
    set("UTF-16", latin1(Buffer.from(SET, "utf16le")), 400),
    set("UTF-16 with its BOM", `\xff\xfe${latin1(Buffer.from(SET, "utf16le"))}`, 400),
    set("a byte that is no UTF-8", item('"FORM"', '"\xff"'), 400),
    set("UTF-8 cut short", item('"FORM"', '"\xe2\x82"'), 400),
    set("UTF-8 longer than it need be", item('"FORM"', '"\xc0\x80"'), 400),
    set("a surrogate in UTF-8", item('"FORM"', '"\xed\xa0\x80"'), 400),
    set("beyond Unicode in UTF-8", item('"FORM"', '"\xf5\x80\x80\x80"'), 400),
    set("UTF-8 of four bytes", item('"FORM"', utf8('"😀"')), 200),
    set("a lone surrogate, escaped", item('"FORM"', String.raw`"\ud800"`), 200),
    set("surrogates the wrong way round, escaped", item('"FORM"', String.raw`"\udc00\ud800"`), 200),
    set("NUL, escaped", item('"FORM"', String.raw`"\u0000"`), 200),
    set("NUL, not escaped", item('"FORM"', '"\0"'), 200),
    set("a newline, escaped", item('"FORM"', String.raw`"\n\r\u2028"`), 200),
    set("a newline, not escaped", item('"FORM"', '"\n"'), 400),
    set("an escape that is none", item('"FORM"', String.raw`"\x"`), 400),
  ],
};

/** Documents that are not the one that is wanted. */
export const documents: RawFamily = {
  kind: "documents",
  forms: [
    ...[
      "",
      " ",
      "\0",
      "null",
      "true",
      "0",
      '"x"',
      "[]",
      "{}",
      "{",
      "}",
      "[[",
      "{}{}",
      "nonsense",
      "{items}",
      "undefined",
      "<xml/>",
    ].map((body) => set(`the document ${JSON.stringify(body)}`, body, 400)),
    set("relaxed keys", '{items:[{portalid:"FORM",payload:"x"}]}', 200),
    set("quotes of the other sort", "{'items':[{'portalid':'FORM','payload':'x'}]}", 200),
    set("a comma at the end", '{"items":[{"portalid":"FORM","payload":"x"},],}', 200),
    set("a comment", '{/* a */"items":[{"portalid":"FORM","payload":"x"}]}// b', 200),
    set(
      "relaxed, and longer than 4 KiB",
      `{items:[{portalid:"FORM",payload:"${"x".repeat(4_096)}"}]}`,
      400,
    ),
    set(
      "relaxed, and deep",
      `{a:${"[".repeat(9)}${"]".repeat(9)},items:[{portalid:"FORM",payload:"x"}]}`,
      400,
    ),
    set(
      "relaxed, and deep behind a quote",
      `{q:'"',a:${"[".repeat(9)}${"]".repeat(9)},items:[{portalid:"FORM",payload:"x"}]}`,
      400,
    ),
    set(
      "relaxed, and very deep behind a quote",
      `{q:'"',a:${"[".repeat(1_900)}${"]".repeat(1_900)}}`,
      400,
    ),
    set("relaxed, with a prototype", '{__proto__:{items:[{portalid:"FORM",payload:"x"}]}}', 400),
    set("items twice, the last one counts", `{"items":[],${SET.slice(1)}`, 200),
    set("items twice, the first one does not", `${SET.slice(0, -1)},"items":[]}`, 400),
    set("items of another spelling", SET.replace("items", "Items"), 400),
    set("items escaped", SET.replace("items", String.raw`\u0069tems`), 200),
    set("items in a prototype", `{"__proto__":${SET}}`, 400),
    set(
      "an item in a prototype",
      '{"items":[{"__proto__":{"portalid":"FORM","payload":"x"}}]}',
      400,
    ),
    set(
      "a prototype beside",
      `{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}},${SET.slice(1)}`,
      200,
    ),
    set("no items", '{"items":[]}', 400),
    set("items as an object", '{"items":{"0":{"portalid":"FORM","payload":"x"},"length":1}}', 400),
    set("an item that is null", '{"items":[null]}', 400),
    set("an item that is a list", '{"items":[["FORM","x"]]}', 400),
    set(
      "a good item and a bad one",
      '{"items":[{"portalid":"FORM","payload":"x"},{"portalid":"HIDDEN"}]}',
      400,
    ),
    ...["1", "null", "true", "{}", "[]", "1e999"].map((payload) =>
      set(`the payload ${payload}`, item('"FORM"', payload), 400),
    ),
    ...[
      '""',
      '"a:b"',
      '"../x"',
      '"__proto__"',
      '"a b"',
      `"${"a".repeat(33)}"`,
      '"a\\u0000"',
      '"a\\n"',
      utf8('"ä"'),
      utf8('"Ａ"'),
      "null",
      "1",
      '["FORM"]',
    ].map((id) => set(`the portal ${id}`, item(id), 400)),
  ],
};

/** Bodies that cost more than they say, if one lets them. */
export const bombs: RawFamily = {
  kind: "bombs",
  forms: [
    set("8 levels", `{"a":${"[".repeat(7)}${"]".repeat(7)},${SET.slice(1)}`, 200),
    set("9 levels", `{"a":${"[".repeat(8)}${"]".repeat(8)},${SET.slice(1)}`, 400),
    set("500,000 levels", "[".repeat(500_000) + "]".repeat(500_000), 400),
    set("1,000,000 levels, not closed", "[".repeat(1_000_000), 400),
    set("200,000 levels of objects", '{"a":'.repeat(200_000), 400),
    set(
      "100,000 members",
      `{${Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join(",")}}`,
      400,
    ),
    set("100,000 equal members", `{${repeated('"a":0', 100_000)}}`, 400),
    set("100,000 items", `{"items":[${repeated("{}", 100_000)}]}`, 400),
    set("10,000 bad items", `{"items":[${repeated("{}", 10_000)}]}`, 400),
    get("100,000 portals", `{"portals":[${repeated("{}", 100_000)}]}`, 400),
    get("1,000 bad portals", `{"portals":[${repeated("{}", 1_000)}]}`, 400),
    set("a string of 1,000,000 backslashes", `{"a":"${"\\".repeat(1_000_000)}"}`, 400),
    set("1,000,000 quotes", '"'.repeat(1_000_000), 400),
    set("a number of 1,000,000 digits", `{"items":${"9".repeat(1_000_000)}}`, 400),
    set("relaxed, 4,000 brackets", `{a:'"',b:${"[".repeat(4_000)}`, 400),
    set("relaxed, 2,000 commas", `{a:[${repeated("1", 2_000)}],}`, 400),
    set("1,048,576 blanks", " ".repeat(1_048_576), 400),
  ],
};

const wanted = (rest: string): string => `{"portals":[{"portalid":"FORM"}]${rest}}`;

/** Gets and logins out of range. */
export const wishes: RawFamily = {
  kind: "wishes",
  forms: [
    get("the list", '{"portals":[]}', 200),
    get("the list by null", '{"portals":null}', 200),
    get("the list by nothing", "{}", 200),
    get("the list by an empty body", "", 400),
    get("portals as an object", '{"portals":{}}', 400),
    get("a portal as a string", '{"portals":["FORM"]}', 400),
    get("a portal out of a prototype", '{"portals":[{"portalid":"__proto__"}]}', 400),
    get("one portal 1,000 times", `{"portals":[${repeated('{"portalid":"FORM"}', 1_000)}]}`, 200),
    ...["-1", "0", "1", "null", "9007199254740991"].map((cutoff) =>
      get(`the cutoff ${cutoff}`, wanted(`,"cutoff":${cutoff}`), 200),
    ),
    ...["-2", "1.5", "1e400", '"5"', "9007199254740993", "[]"].map((cutoff) =>
      get(`the cutoff ${cutoff}`, wanted(`,"cutoff":${cutoff}`), 400),
    ),
    ...['"Stream"', '"flood"', "1", '"__proto__"', "{}"].map((mode) =>
      get(`the mode ${mode}`, wanted(`,"mode":${mode}`), 400),
    ),
    ...['"fifo"', '"RANDOM"', "0"].map((schedule) =>
      get(`the schedule ${schedule}`, wanted(`,"schedule":${schedule}`), 400),
    ),
    ...["-1", "1.5", '"1"', "1e400", "9007199254740993"].map((time) =>
      get(
        `the reference time ${time}`,
        `{"portals":[{"portalid":"FORM","servertimestamp":${time}}]}`,
        400,
      ),
    ),
    ...[
      "{}",
      '{"accountid":1,"apikey":2}',
      '{"accountid":"__proto__","apikey":"x"}',
      '{"accountid":"AC1111","apikey":""}',
      '{"accountid":"AC1111","apikey":["a"]}',
    ].map((body) => kept(`the login ${body}`, post("/auth/login", body), 400)),
    kept(
      "a login of 10,000 bytes",
      post("/auth/login", `{"accountid":"AC1111","apikey":"${"a".repeat(10_000)}"}`),
      400,
    ),
    kept("a login without a cookie", postWith("/auth/login", [HOST, lengthOf("{}")], "{}"), 400),
    kept("a registration of nobody", post("/auth/registrationstart", '{"email":"nobody"}'), 400),
    kept(
      "a registration of 10,000 bytes",
      post("/auth/registrationstart", `{"email":"${"a".repeat(10_000)}@example.com"}`),
      400,
    ),
    kept(
      "a registration of many dots",
      post("/auth/registrationstart", `{"email":"a@${"a.".repeat(1_500)}"}`),
      400,
    ),
    kept(
      "a code for no registration",
      post("/auth/registrationcode", '{"registrationtoken":"__proto__","emailcode":"000000"}'),
      400,
    ),
    kept(
      "the cookie on its own",
      postWith("/item/get", [HOST, COOKIE, "Content-Length: 2"], "{}"),
      200,
    ),
  ],
};
