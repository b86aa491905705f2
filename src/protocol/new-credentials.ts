/** Account ids and keys in the service's own form. */

/** A source of bytes that nobody can guess. */
export type RandomBytes = (size: number) => Uint8Array;

const DIGITS = "0123456789";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LETTERS_AND_DIGITS = LETTERS + LETTERS.toLowerCase() + DIGITS;

/** `AC` and 16 digits. */
export const newAccountId = (randomBytes: RandomBytes): string =>
  `AC${randomText(16, DIGITS, randomBytes)}`;

/** 32 letters and digits: 190 bits. */
export const newApiKey = (randomBytes: RandomBytes): string =>
  randomText(32, LETTERS_AND_DIGITS, randomBytes);

/** Every character equally likely: bytes that would favour some are thrown away. */
function randomText(length: number, alphabet: string, randomBytes: RandomBytes): string {
  const fairBelow = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < fairBelow && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
