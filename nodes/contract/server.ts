/** What the fields of xrtc-server may hold, for its dialog as for the runtime: one rule, not two. */

/** Where a server is below Node-RED's own web server when nothing else is said. */
export const SERVER_PATH = "/xrtc";

const SERVER_PATH_FORM = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
const SERVER_PATH_LENGTH_MAX = 128;

/** The path with a slash at its start and none at its end; undefined when it is none. */
export function serverPath(text: string): string | undefined {
  const bare = text.trim().replace(/^\/+|\/+$/g, "");
  const path = bare === "" ? SERVER_PATH : `/${bare}`;
  return path.length <= SERVER_PATH_LENGTH_MAX && SERVER_PATH_FORM.test(path) ? path : undefined;
}

/** Whether a URL names a Redis, without a password: that one has a field of its own, which is kept encrypted. */
export function isRedisUrl(text: string): boolean {
  try {
    const { protocol, hostname, password } = new URL(text.trim());
    return /^rediss?:$/.test(protocol) && hostname !== "" && password === "";
  } catch {
    // The constructor's way to say no.
    return false;
  }
}

/** Whether an address can be reached from this machine only, as the server sees it. */
export const isLoopbackHost = (host: string): boolean =>
  /^(?:|localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host.trim());

/** Whether a text may be an address, or a name that stands for one. */
export const isHost = (host: string): boolean =>
  /^(?:[0-9a-f:.]*:[0-9a-f:.]*|[a-z0-9._-]{1,253})$/i.test(host);
