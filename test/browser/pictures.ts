import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Where pictures go, when somebody asks for them. */
const FOLDER = process.env["XRTC_PICTURES"];

/** Takes a picture of what a test has come to, when somebody asks for pictures. */
export async function picture(name: string, take: (path: string) => Promise<void>): Promise<void> {
  if (FOLDER === undefined) return;
  mkdirSync(FOLDER, { recursive: true });
  await take(join(FOLDER, name));
}
