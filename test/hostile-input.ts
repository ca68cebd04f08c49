/**
 * Strings and bodies of our own making that have broken other servers, for tests of the API's
 * border: they do not depend on the public corpora, which are no part of this repository.
 */
export const OWN_STRINGS = [
  ...['a\0b', '\ud83d', '\ude00x', 'x'.repeat(100_000), '\u202Egnp.exe', 'a\u200bb', '👩‍👩‍👧‍👦'],
  ...['Z̸̢̛a̵͝l̷̈́g̴̃o̶͑', 'аdmin (Cyrillic)', "Robert'); drop table calls;--", '=1+1', '@SUM(A1)'],
  ...['\r\nX-Evil: 1', 'a\tb', '   ', '\u2028', '${7*7}', '{{7*7}}', '%s%n', '../../etc/passwd'],
  ...['\\u0000', '\\', '"', '$&', "$'", '$1', '__proto__', 'constructor', 'toString'],
];

const deep = (open: string, close: string, levels: number): string =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;

/** What it is, the body, and the status it must be answered with. */
export const OWN_BODIES: Array<[string, string | Uint8Array, number]> = [
  ['10,000 lists in each other', deep('[', ']', 10_000), 400],
  ['100,000 lists in each other', deep('[', ']', 100_000), 400],
  ['10,000 objects in each other', deep('{"a":', '}', 10_000), 400],
  ['depth in a field', `{"to":${deep('[', ']', 10_000)},"purpose":"x"}`, 400],
  ['an infinite number', '{"to":1e400,"purpose":"x"}', 400],
  ['__proto__', '{"__proto__":{"to":"+447700900123"},"purpose":"x"}', 400],
  ['constructor.prototype', '{"constructor":{"prototype":{"x":1}},"to":"1"}', 400],
  ['half a surrogate pair', '{"to":"+447700900123","purpose":"order \\ud83d"}', 400],
  ['NUL', '{"to":"+447700900123","purpose":"order \\u0000"}', 400],
  ['a list', '[]', 400],
  ['null', 'null', 400],
  ['a text', '"to"', 400],
  ['a number', '7', 400],
  ['nothing', '', 400],
  ['spaces', '   ', 400],
  ['bytes that are no UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400],
  ['UTF-16', Buffer.from('{"to":"x"}', 'utf16le'), 400],
  ['NaN', '{"to":NaN}', 400],
  ['a comment', '{"to":"x" /* y */}', 400],
  ['a comma too many', '{"to":"+447700900123","purpose":"order 7",}', 400],
  ['half an object', '{"to":"+4477', 400],
  ['1 MB', `{"to":"${'x'.repeat(1_000_000)}"}`, 413],
];
/** Runs `work` over all items, some at a time. */
export async function forAll<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const waiting = items.map((item, index) => ({ item, index })).reverse();
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      await work(next.item, next.index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
