import {
  CHUNKED,
  closed,
  COOKIE,
  hidden,
  HOST,
  kept,
  orClosed,
  orKept,
  lengthOf,
  postWith,
  type RawFamily,
  SET,
} from "./form.js";

const set = (headers: readonly string[], body: string): string =>
  postWith("/item/set", [HOST, COOKIE, ...headers], body);

const whole = `${SET.length.toString(16)}\r\n${SET}\r\n0\r\n\r\n`;

/** A body's length told in more than one way, or in none. */
export const lengths: RawFamily = {
  kind: "lengths",
  forms: [
    closed("two equal lengths", set([lengthOf(SET), lengthOf(SET)], SET), 400),
    closed("two different lengths", set([lengthOf(SET), "Content-Length: 0"], SET), 400),
    closed(
      "two different lengths, the other way",
      set(["Content-Length: 0", lengthOf(SET)], SET),
      400,
    ),
    closed("a list of equal lengths", set([`${lengthOf(SET)}, ${SET.length}`], SET), 400),
    closed("a list of lengths in one header", set(["Content-Length: 5,5"], SET), 400),
    closed("a negative length", set(["Content-Length: -1"], SET), 400),
    closed("a length with a sign", set([`Content-Length: +${SET.length}`], SET), 400),
    closed("a length in hex", set([`Content-Length: 0x${SET.length.toString(16)}`], SET), 400),
    closed("a length with a fraction", set([`Content-Length: ${SET.length}.0`], SET), 400),
    closed("a length with an exponent", set(["Content-Length: 1e1"], SET), 400),
    closed("an empty length", set(["Content-Length:"], SET), 400),
    closed("a length of letters", set(["Content-Length: many"], SET), 400),
    closed("a length with a gap", set(["Content-Length: 4 5"], SET), 400),
    closed("a length of 2^64", set(["Content-Length: 18446744073709551616"], SET), 400),
    closed("a length of 400 digits", set([`Content-Length: ${"9".repeat(400)}`], SET), 400),
    closed("a length over the bound", set(["Content-Length: 99999999999"], SET), 400, {
      isAlone: true,
    }),
    kept("a length with zeros before it", set([`Content-Length: 000${SET.length}`], SET), 200),
    closed(
      "a length with blanks around it",
      set([`Content-Length: \t${SET.length}\t `], SET),
      400,
      orKept(200),
    ),
    kept("a length of another name", set([lengthOf(SET), "Content_Length: 0"], SET), 200),
    kept("a length in capitals", set([`CONTENT-LENGTH: ${SET.length}`], SET), 200),
    closed("a length and chunks", set([lengthOf(whole), CHUNKED], whole), 400),
    closed("chunks and a length", set([CHUNKED, lengthOf(whole)], whole), 400),
    closed("chunks and a length of 0", set([CHUNKED, "Content-Length: 0"], whole), 400),
    closed("a length that lies, too long", set(["Content-Length: 500"], SET), 408, {
      isAlone: true,
    }),
    closed("a length that lies, too short", set(["Content-Length: 4"], SET), [400, 400]),
    kept("no length and no body", set([], ""), 400),
    closed("no length and a body", set([], SET), [400, 400]),
    kept("a length of 0 and no body", set(["Content-Length: 0"], ""), 400),
  ],
};

/** Codings of a transfer, of which only chunks are known. */
export const codings: RawFamily = {
  kind: "transfer codings",
  forms: [
    kept("chunks", set([CHUNKED], whole), 200),
    kept("chunks in capitals", set(["TRANSFER-ENCODING: CHUNKED"], whole), 200),
    closed(
      "chunks with blanks around",
      set(["Transfer-Encoding: \t chunked \t"], whole),
      400,
      orKept(200),
    ),
    closed("chunks twice", set([CHUNKED, CHUNKED], whole), 400),
    closed("chunks twice in one header", set(["Transfer-Encoding: chunked, chunked"], whole), 400),
    closed("chunks and identity", set([`${CHUNKED}, identity`], whole), 400),
    closed(
      "chunks and identity in two headers",
      set([CHUNKED, "Transfer-Encoding: identity"], whole),
      400,
    ),
    closed("identity", set(["Transfer-Encoding: identity"], SET), 501),
    closed("identity and chunks", set(["Transfer-Encoding: identity, chunked"], whole), 501),
    closed("gzip and chunks", set(["Transfer-Encoding: gzip, chunked"], whole), 501),
    closed("gzip", set(["Transfer-Encoding: gzip"], whole), 501),
    closed("a coding that sounds like chunks", set(["Transfer-Encoding: xchunked"], whole), 501),
    closed("a coding that begins like chunks", set(["Transfer-Encoding: chunkedx"], whole), 501),
    closed("chunks with a parameter", set([`${CHUNKED};q=1`], whole), 501),
    closed("chunks in quotes", set(['Transfer-Encoding: "chunked"'], whole), 501),
    closed("chunks and a comma", set([`${CHUNKED},`], whole), 400),
    closed("a comma and chunks", set(["Transfer-Encoding: ,chunked"], whole), 501),
    closed("a coding with a vertical tab", set(["Transfer-Encoding: \x0bchunked"], whole), 400),
    closed("an empty coding", set(["Transfer-Encoding:"], whole), 501, orClosed(400)),
    closed(
      "an empty coding with a length",
      set(["Transfer-Encoding:", lengthOf(SET)], SET),
      501,
      orClosed(400),
    ),
    closed("a coding folded away", set(["Transfer-Encoding:\r\n chunked"], whole), 400),
    closed(
      "a coding in HTTP/1.0",
      `POST /v1/item/set HTTP/1.0\r\n${HOST}\r\n${COOKIE}\r\n${CHUNKED}\r\n\r\n${whole}`,
      200,
    ),
    closed(
      "a coding with a blank before its colon",
      set(["Transfer-Encoding : chunked"], whole),
      400,
    ),
    kept("a coding of another name", set(["Transfer_Encoding: chunked", lengthOf(SET)], SET), 200),
    kept(
      "a coding with X before it",
      set(["X-Transfer-Encoding: chunked", lengthOf(SET)], SET),
      200,
    ),
  ],
};

const chunks = (body: string): string => set([CHUNKED], body);
const size = SET.length.toString(16);
const end = "0\r\n\r\n";

/** Chunks in all the ways that they can be wrong. */
export const chunkForms: RawFamily = {
  kind: "chunks",
  forms: [
    kept("a size in capitals", chunks(`${size.toUpperCase()}\r\n${SET}\r\n${end}`), 200),
    kept("a size with zeros before it", chunks(`0000${size}\r\n${SET}\r\n${end}`), 200),
    closed("a size of 0x", chunks(`0x${size}\r\n${SET}\r\n${end}`), 400),
    closed("a negative size", chunks(`-${size}\r\n${SET}\r\n${end}`), 400),
    closed("a size with a sign", chunks(`+${size}\r\n${SET}\r\n${end}`), 400),
    closed("a blank before the size", chunks(` ${size}\r\n${SET}\r\n${end}`), 400),
    closed("a blank after the size", chunks(`${size} \r\n${SET}\r\n${end}`), 400),
    closed("a size of letters", chunks(`xyz\r\n${SET}\r\n${end}`), 400),
    closed("no size", chunks(`\r\n${SET}\r\n${end}`), 400),
    closed("a size of 2^64", chunks(`10000000000000000\r\n${SET}\r\n${end}`), 400),
    closed("a size of 2^64 - 1", chunks(`ffffffffffffffff\r\n${SET}`), 408, { isAlone: true }),
    closed("a size of 300 digits", chunks(`${"f".repeat(300)}\r\n${SET}`), 400),
    closed("a size over the bound", chunks(`7fffffff\r\n${SET}`), 408, { isAlone: true }),
    closed("a size that is too small", chunks(`5\r\n${SET}\r\n${end}`), 400),
    closed(
      "a size that is too great",
      chunks(`${(SET.length + 2).toString(16)}\r\n${SET}\r\n${end}`),
      400,
    ),
    closed("a size ended by LF", chunks(`${size}\n${SET}\r\n${end}`), 400),
    closed("a size ended by CR", chunks(`${size}\r${SET}\r\n${end}`), 400),
    closed("data ended by LF", chunks(`${size}\r\n${SET}\n${end}`), 400),
    closed("data ended by CR", chunks(`${size}\r\n${SET}\r${end}`), 400),
    closed("data not ended", chunks(`${size}\r\n${SET}${end}`), 400),
    kept("an extension", chunks(`${size};a\r\n${SET}\r\n${end}`), 200),
    kept("an extension with a value", chunks(`${size};a=b;c="d"\r\n${SET}\r\n${end}`), 200),
    closed("an extension with LF in it", chunks(`${size};a\nb\r\n${SET}\r\n${end}`), 400),
    closed("an extension with NUL in it", chunks(`${size};a\0b\r\n${SET}\r\n${end}`), 400),
    closed(
      "an extension of 20,000 bytes",
      chunks(`${size};${"a".repeat(20_000)}\r\n${SET}\r\n${end}`),
      413,
    ),
    kept(
      "1,000 extensions of 20 bytes",
      chunks(`${`1;${"a".repeat(20)}\r\nx\r\n`.repeat(1_000)}${end}`),
      400,
    ),
    kept(
      "one byte in each chunk",
      chunks(
        SET.split("")
          .map((byte) => `1\r\n${byte}\r\n`)
          .join("") + end,
      ),
      200,
    ),
    kept("a last chunk of many zeros", chunks(`${size}\r\n${SET}\r\n000000\r\n\r\n`), 200),
    kept("a last chunk with an extension", chunks(`${size}\r\n${SET}\r\n0;a=b\r\n\r\n`), 200),
    closed("no last chunk", chunks(`${size}\r\n${SET}\r\n`), 408, { isAlone: true }),
    closed("no last chunk, and another request", chunks(`${size}\r\n${SET}\r\n`), 400),
    closed("a last chunk without its empty line", chunks(`${size}\r\n${SET}\r\n0\r\n`), 408, {
      isAlone: true,
    }),
    kept("only a last chunk", chunks(end), 400),
    kept("a trailer", chunks(`${size}\r\n${SET}\r\n0\r\nX-A: b\r\n\r\n`), 200),
    closed(
      "a trailer that is a length",
      chunks(`${size}\r\n${SET}\r\n0\r\nContent-Length: 5\r\n\r\n`),
      400,
    ),
    closed(
      "a trailer that is a coding",
      chunks(`${size}\r\n${SET}\r\n0\r\n${CHUNKED}\r\n\r\n`),
      400,
    ),
    kept(
      "a trailer that is a host",
      chunks(`${size}\r\n${SET}\r\n0\r\nHost: evil.example\r\n\r\n`),
      200,
    ),
    closed(
      "a trailer of 9,000 bytes",
      chunks(`${size}\r\n${SET}\r\n0\r\nX-A: ${"b".repeat(9_000)}\r\n\r\n`),
      431,
    ),
    closed("trailers that never end", chunks(`${size}\r\n${SET}\r\n0\r\nX-A: b\r\n`), 408, {
      isAlone: true,
    }),
    closed("a trailer without a colon", chunks(`${size}\r\n${SET}\r\n0\r\nnonsense\r\n\r\n`), 400),
    closed("a request as a trailer", chunks(`${size}\r\n${SET}\r\n0\r\n${hidden}`), 400),
  ],
};
