/** Values of flags. */
import { InvalidArgumentError } from "commander";
import { byteSize } from "../../schema/settings.ts";

/** `256MiB`, `0.5GB` */
export function sizeFlag(text: string): number {
  const size = byteSize.safeParse(text);
  if (size.success && size.data > 0) return size.data;
  throw new InvalidArgumentError("It must be a number of bytes such as 256MiB or 0.5GB.");
}

/** `0.5GB,2GB` */
export function sizesFlag(text: string): number[] {
  return text.split(",").map(sizeFlag);
}

export function countFlag(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
}

/** Of a simulation, which has room for more than a machine. */
export function hostsFlag(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 to 999999.");
}

/** `0`, `12`, `0.5` */
export function numberFlag(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0 && number <= 1e6) return number;
  throw new InvalidArgumentError("It must be a number from 0.");
}

/** `0.1`; at most a half */
export function shareFlag(text: string): number {
  const share = Number(text);
  if (share > 0 && share <= 0.5) return share;
  throw new InvalidArgumentError("It must be a share above 0 and at most 0.5.");
}

export function minutesFlag(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= 24 * 60) return minutes;
  throw new InvalidArgumentError("It must be a number of minutes, at most a day.");
}

/** Collects what a repeatable flag is given. */
export function listFlag(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
