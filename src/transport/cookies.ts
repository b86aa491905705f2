import { CookieJar } from "tough-cookie";

/**
 * The cookies of one login. A new login gets a new jar: a late answer of an old one must not overwrite the new cookies.
 */
export class Cookies {
  // `localhost` and bare addresses are where the local server lives.
  readonly #jar = new CookieJar(undefined, {
    rejectPublicSuffixes: false,
    allowSpecialUseDomain: true,
    looseMode: false,
  });
  /** By URL; building it costs more than the rest of the request, and cookies change rarely. */
  readonly #headers = new Map<string, string>();

  /** Merges what an answer set. A cookie that the rules of RFC 6265 refuse is left out, as a browser would. */
  store(url: string, setCookies: readonly string[]): void {
    if (setCookies.length === 0) return;
    for (const line of setCookies) this.#jar.setCookieSync(line, url, { ignoreError: true });
    this.#headers.clear();
  }

  /** The value of the `cookie` header for a URL, or undefined when there is none to send. */
  header(url: string): string | undefined {
    let header = this.#headers.get(url);
    if (header === undefined) {
      header = this.#jar.getCookieStringSync(url);
      this.#headers.set(url, header);
    }
    return header === "" ? undefined : header;
  }
}
