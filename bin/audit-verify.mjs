#!/usr/bin/env node
// Checks an evidence bundle (JSON) or a ledger export (NDJSON) of Askfirst, from a file or stdin:
//   node audit-verify.mjs [--json] [--earlier COPY] [FILE]
// It needs its two neighbours, Node 18 or later, and nothing else. Exit code 0: all holds; 1: not.
import { createReadStream, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openExport, verifyBundle } from './audit-chain.mjs';

const BUNDLE = 'askfirst-evidence-1';
const EXPORT = 'askfirst-ledger-1';

/** Verifies what comes in chunks of bytes; an export is never held in memory as a whole. */
export async function verifyStream(chunks, against) {
  let number = 0;
  let ledger = null;
  const held = [];
  for await (const line of linesOf(chunks)) {
    number += 1;
    if (ledger !== null) {
      ledger.take(parse(line, `line ${number}`), number);
      continue;
    }
    const header = number === 1 ? tryParse(line) : undefined;
    if (header?.format === EXPORT) ledger = openExport(header, against);
    else held.push(line);
  }
  if (ledger !== null) return ledger.close();
  const bundle = parse(held.join('\n'), 'file');
  if (bundle.format === BUNDLE) return verifyBundle(bundle, against);
  throw new Unreadable(`file: neither ${BUNDLE} nor ${EXPORT}, but ${String(bundle.format)}`);
}

class Unreadable extends Error {}

function parse(text, place) {
  const value = tryParse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Unreadable(`${place}: this is not a JSON object; the file is damaged or cut`);
}

function tryParse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lines by \n alone: node:readline also breaks at U+2028, which may stand in a JSON string. */
async function* linesOf(chunks) {
  // Fatal, because a replaced character could be hashed like the one that was damaged.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = decode(decoder, chunk).split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop();
    yield* lines;
  }
  rest += decode(decoder);
  if (rest !== '') yield rest;
}

function decode(decoder, chunk) {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new Unreadable('file: it is not UTF-8; some bytes were changed');
  }
}

/** Where each chain of an older copy ended; a copy that does not hold by itself proves nothing. */
async function headsOf(file) {
  const heads = new Map();
  const { ok } = await verifyStream(createReadStream(file), { heads });
  if (!ok) throw new Unreadable(`${file}: the earlier copy does not verify by itself`);
  return heads;
}

async function main(args) {
  const files = args.filter((arg) => arg !== '--json');
  const at = files.indexOf('--earlier');
  const [, copy = ''] = at === -1 ? [] : files.splice(at, 2);
  const isUnknown = files.some((file) => file.startsWith('-') && file !== '-');
  if (files.length > 1 || isUnknown || (at !== -1 && copy === '')) {
    process.stderr.write('Usage: audit-verify.mjs [--json] [--earlier COPY] [FILE]\n');
    return 1;
  }
  const [file = '-'] = files;
  try {
    const against = copy === '' ? {} : { earlier: await headsOf(copy) };
    const chunks = file === '-' ? process.stdin : createReadStream(file);
    const result = { ...(await verifyStream(chunks, against)), compared: against.earlier?.size };
    process.stdout.write(args.includes('--json') ? `${JSON.stringify(result)}\n` : text(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    const { message } = error;
    if (args.includes('--json'))
      process.stdout.write(`${JSON.stringify({ ok: false, message })}\n`);
    process.stderr.write(`NOT VERIFIED. ${message}\n`);
    return 1;
  }
}

function text({ ok, contacts, entries, problems, found, limits, compared }) {
  const lines = problems.map(({ place, contactId, sequence, message }) => {
    const entry = sequence === null ? '' : `, entry ${sequence}`;
    return `✗ ${place} (${contactId}${entry}): ${message}`;
  });
  if (found > problems.length) lines.push(`… and ${found - problems.length} more`);
  const count = `${entries} entries of ${contacts} ${contacts === 1 ? 'contact' : 'contacts'}`;
  lines.push(ok ? `VERIFIED ${count}.` : `NOT VERIFIED: ${found} faults in ${count}.`);
  if (ok && compared !== undefined) {
    lines.push(`All that the earlier copy tells of its ${compared} contacts is still there.`);
  }
  lines.push(limits, '');
  return lines.join('\n');
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
