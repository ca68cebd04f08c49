/** The line (from 1) on which the step of that name stands in a script's JSON; null if nowhere. */
export function lineOfStep(text: string, name: string): number | null {
  const lines = text.split('\n');
  const named = lines.findIndex((line) => line.includes(`"name": ${JSON.stringify(name)}`));
  return named === -1 ? null : named + 1;
}

/** Why a text that is being written is not JSON yet; null when it is. */
export function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'unreadable';
  }
}
