// How long suggestions are paused, in numbers and in words.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Whether a pause goes on at a time; both in milliseconds since 1970. */
export function isPaused(until: number, now: number): boolean {
  return until > now;
}

/** `paused`, with the time that is left where it ends by itself. */
export function pausedWords(until: number, now: number): string {
  const left = until - now;
  if (!Number.isFinite(left)) {
    return "paused";
  }
  return left < HOUR ? `paused for ${Math.ceil(left / MINUTE)} min` : `paused for ${(left / HOUR).toFixed(1)} h`;
}

/** The minutes of `10 minutes` or `1 hour`; undefined for another text. */
export function minutesOf(text: string): number | undefined {
  const [, number, unit] = /^(\d+) (minute|hour)s?$/.exec(text) ?? [];
  return number ? Number(number) * (unit === "hour" ? 60 : 1) : undefined;
}
