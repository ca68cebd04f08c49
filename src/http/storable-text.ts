import type { FieldProblem } from './field-problems.ts';

/**
 * Refuses what no store can keep: NUL, half of a surrogate pair (it would come back as another
 * text) and nesting that no route has a use for. Found before anything is half done, and told by
 * the name of the field.
 */
const DEPTH_MAX = 32;

type Visit = { value: unknown; path: string; depth: number };

/** The first fault in a parsed body, query or set of path parameters; null when there is none. */
export function unstorableText(input: unknown, whole: string): FieldProblem | null {
  // A list of its own instead of recursion: 100 kB of "[" would overflow the stack.
  const waiting: Visit[] = [{ value: input, path: '', depth: 0 }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { value, path, depth } = visit;
    const fault = typeof value === 'string' ? faultOf(value) : null;
    if (fault !== null) return { field: path === '' ? whole : path, ...fault };
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) continue;
    if (depth >= DEPTH_MAX) return { field: whole, ...TOO_DEEP };
    for (const [key, inner] of Object.entries(value)) {
      // A name that cannot be written down is not repeated either.
      const keyFault = faultOf(key);
      if (keyFault !== null) return { field: path === '' ? whole : path, ...keyFault };
      const inside = path === '' ? key : `${path}.${key}`;
      waiting.push({ value: inner, path: inside.slice(0, 100), depth: depth + 1 });
    }
  }
  return null;
}

type Fault = Pick<FieldProblem, 'rule' | 'fix'>;

const TOO_DEEP: Fault = {
  rule: `is nested at most ${DEPTH_MAX} levels deep`,
  fix: 'Send the fields of this route and nothing else; see /openapi.json.',
};

function faultOf(text: string): Fault | null {
  if (text.includes('\0')) {
    return { rule: 'has no NUL character', fix: 'Remove U+0000 from the text.' };
  }
  if (text.isWellFormed()) return null;
  return {
    rule: 'is well-formed Unicode',
    fix: 'Remove the half surrogate pair (U+D800 to U+DFFF); it is a character cut in two.',
  };
}
