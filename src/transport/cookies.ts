import { Cookie, CookieJar } from "tough-cookie";

/** Characters of names and values that one login may collect: all of it goes into a header of each request. */
const COOKIES_LENGTH_MAX = 4_096;

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
  /** Of each cookie that was taken, by where it belongs, and in all. */
  readonly #lengths = new Map<string, number>();
  #length = 0;
  /** By URL; building it costs more than the rest of the request, and cookies change rarely. */
  readonly #headers = new Map<string, string>();

  /** Merges what an answer set. A cookie that the rules of RFC 6265 refuse is left out, as a browser would. */
  store(url: string, setCookies: readonly string[]): void {
    if (setCookies.length === 0) return;
    for (const line of setCookies) {
      const cookie = Cookie.parse(line);
      if (cookie === undefined || !this.#makeRoom(cookie)) continue;
      this.#jar.setCookieSync(cookie, url, { ignoreError: true });
    }
    this.#headers.clear();
  }

  /** Whether a cookie still fits beside the others; a new value of one takes the place of the old. */
  #makeRoom({ key, value, domain, path }: Cookie): boolean {
    const place = JSON.stringify([domain, path, key]);
    // With what stands between two of them.
    const length = key.length + value.length + "=; ".length;
    const total = this.#length - (this.#lengths.get(place) ?? 0) + length;
    if (total > COOKIES_LENGTH_MAX) return false;
    this.#lengths.set(place, length);
    this.#length = total;
    return true;
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
