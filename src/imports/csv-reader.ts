/**
 * Reads CSV (RFC 4180) as it comes, strictly and in little memory: at most one row is held. Takes
 * a byte order mark, CRLF or LF, quotes, line breaks within quotes, and comma, semicolon or tab
 * between the fields, whichever stands most often in the first line. A malformed row is told with
 * its line; reading goes on after that line, so that one lost quote never swallows the rest.
 */
export type CsvRow = { line: number; fields: string[] } | { line: number; problem: string };

/** Characters of one row; a row that is longer is no row of a list of numbers. */
const ROW_MAX = 65_536;

/** How the letters of a file are written, where it is not UTF-8; names of the WHATWG standard. */
export const ENCODINGS = [
  ...(['utf-8', 'utf-16le', 'utf-16be', 'iso-8859-15', 'gb18030', 'big5'] as const),
  ...(['windows-1250', 'windows-1251', 'windows-1252', 'windows-1253'] as const),
  ...(['windows-1254', 'windows-1255', 'windows-1256', 'shift_jis', 'euc-kr'] as const),
];
export type FileEncoding = (typeof ENCODINGS)[number];

/** What stands for bytes that are no letters in the encoding of the file. */
export const UNREADABLE = '\ufffd';

/** Rows of a file; what its first bytes say of the encoding counts more than `asked`. */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  asked: FileEncoding = 'utf-8',
): AsyncGenerator<CsvRow> {
  const reader = new RowReader();
  let decoder: InstanceType<typeof TextDecoder> | null = null;
  let head: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    head = decoder === null ? Buffer.concat([head, chunk]) : chunk;
    if (decoder === null && head.length < HEAD_BYTES) continue;
    decoder ??= new TextDecoder(encodingOf(head, asked));
    // Bytes that are no letters become U+FFFD: only their own row fails.
    yield* reader.take(decoder.decode(head, { stream: true }));
  }
  const rest = decoder?.decode() ?? new TextDecoder(encodingOf(head, asked)).decode(head);
  yield* reader.take(rest, true);
}

const HEAD_BYTES = 4;

/** Spreadsheets write UTF-16 with a mark, other programs also without: every other byte is 0. */
function encodingOf(head: Uint8Array, asked: FileEncoding): FileEncoding {
  const [a, b, c, d] = head;
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0 && d === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0 && c === 0)) return 'utf-16be';
  return a === 0xef && b === 0xbb && c === 0xbf ? 'utf-8' : asked;
}

/** What the beginning of the text is: a row, a fault in the first line, or not enough yet. */
type Read = { fields: string[]; end: number } | { problem: string } | null;

class RowReader {
  #text = '';
  #line = 1;
  #delimiter: string | null = null;
  /** The rest of a malformed line has not come yet, and is to be passed over. */
  #isSkipping = false;

  *take(more: string, isLast = false): Generator<CsvRow> {
    this.#text += more;
    let from = 0;
    while (from < this.#text.length) {
      if (this.#isSkipping) {
        const end = endOfLine(this.#text, from);
        this.#isSkipping = end === null;
        from = this.#pass(from, end ?? this.#text.length);
        continue;
      }
      this.#delimiter ??= delimiterOf(this.#text, isLast);
      if (this.#delimiter === null) break;
      const read = readRow(this.#text, from, this.#delimiter, isLast);
      const end = read !== null && 'end' in read ? read.end : this.#text.length;
      const isTooLong = (read === null || 'end' in read) && end - from > ROW_MAX;
      if (read === null && !isTooLong) break;
      const line = this.#line;
      const tooLong = { problem: `a row has at most ${ROW_MAX} characters` };
      const found = read === null || isTooLong ? tooLong : read;
      if ('problem' in found) {
        this.#isSkipping = true;
        yield { line, problem: found.problem };
        continue;
      }
      from = this.#pass(from, found.end);
      if (found.fields.some((field) => field.trim() !== '')) yield { line, fields: found.fields };
    }
    this.#text = this.#text.slice(from);
  }

  #pass(from: number, end: number): number {
    this.#line += lineBreaks(this.#text, from, end);
    return end;
  }
}

function readRow(text: string, from: number, delimiter: string, isLast: boolean): Read {
  const fields: string[] = [];
  let at = from;
  for (;;) {
    const field = text[at] === '"' ? readQuoted(text, at) : readPlain(text, at, delimiter);
    if (field === null) {
      return isLast ? { problem: 'a quote is opened and never closed' } : null;
    }
    if ('problem' in field) return field;
    fields.push(field.value);
    at = field.end;
    if (at >= text.length) return isLast ? { fields, end: at } : null;
    if (text[at] === delimiter) {
      at += 1;
      continue;
    }
    if (text[at] === '\n') return { fields, end: at + 1 };
    if (text[at] === '\r') {
      // The line feed may only come with the next piece.
      if (at + 1 >= text.length && !isLast) return null;
      return { fields, end: text[at + 1] === '\n' ? at + 2 : at + 1 };
    }
    return { problem: 'something stands between a closing quote and the next field' };
  }
}

type Field = { value: string; end: number } | { problem: string } | null;

/** RFC 4180 section 2, rules 5 to 7: a doubled quote within quotes is one quote. */
function readQuoted(text: string, from: number): Field {
  let value = '';
  let at = from + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close === -1) return null;
    value += text.slice(at, close);
    if (text[close + 1] !== '"') return { value, end: close + 1 };
    value += '"';
    at = close + 2;
  }
}

function readPlain(text: string, from: number, delimiter: string): Field {
  let end = from;
  for (; end < text.length; end += 1) {
    const character = text[end];
    if (character === delimiter || character === '\n' || character === '\r') break;
    if (character === '"') return { problem: 'a quote stands inside a field without quotes' };
  }
  return { value: text.slice(from, end), end };
}

/** Decided by the first line; null while that has not come whole. */
function delimiterOf(text: string, isLast: boolean): string | null {
  const end = text.search(/[\r\n]/);
  if (end === -1 && !isLast && text.length <= ROW_MAX) return null;
  const line = (end === -1 ? text : text.slice(0, end)).replace(/"[^"]*"/g, '');
  const count = (delimiter: string): number => line.split(delimiter).length - 1;
  const [best = ','] = [',', ';', '\t'].sort((a, b) => count(b) - count(a));
  return best;
}

function endOfLine(text: string, from: number): number | null {
  const end = text.indexOf('\n', from);
  return end === -1 ? null : end + 1;
}

function lineBreaks(text: string, from: number, end: number): number {
  return text.slice(from, end).match(/\r\n|\n|\r/g)?.length ?? 0;
}
