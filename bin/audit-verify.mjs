#!/usr/bin/env node
// Checks an evidence bundle or a proof (JSON) or a ledger export (NDJSON) of Askfirst:
//   node audit-verify.mjs [--json] [--key KEY] [--checkpoints FILE] [--earlier COPY] [FILE]
// It needs its neighbours audit-*.mjs, Node 18 or later, and nothing else.
// Exit code 0: all holds; 1: not.
import { createReadStream, existsSync, readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { verifyBundle, verifyConsistency, verifyInclusion } from './audit-bundle.mjs';
import { openExport } from './audit-export.mjs';
import { notesOf, readKey } from './audit-note.mjs';
import { reportText } from './audit-report.mjs';

const EXPORT = 'askfirst-ledger-2';
const WHOLE = {
  'askfirst-evidence-2': verifyBundle,
  'askfirst-person-1': verifyBundle,
  'askfirst-inclusion-1': verifyInclusion,
  'askfirst-consistency-1': verifyConsistency,
};

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
  const given = parse(held.join('\n'), 'file');
  const verify = WHOLE[given.format];
  if (verify !== undefined) return verify(given, against);
  const known = [EXPORT, ...Object.keys(WHOLE)].join(', ');
  throw new Unreadable(`file: none of ${known}, but ${String(given.format)}`);
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
async function earlierCopy(file) {
  const heads = new Map();
  const seals = [];
  const { ok } = await verifyStream(createReadStream(file), { heads, seals });
  if (!ok) throw new Unreadable(`${file}: the earlier copy does not verify by itself`);
  return { heads, seals };
}

/** A key is given as it is, or as a file that holds it: its text, or the answer of the API. */
function keyOf(given) {
  const text = existsSync(given) ? readFileSync(given, 'utf8') : given;
  const key = readKey(tryParse(text)?.verifierKey ?? text);
  if (key === null) throw new Unreadable(`${given}: this is no public key of a log`);
  return key;
}

async function againstOf({ key, checkpoints, earlier }) {
  const against = {};
  if (key !== undefined) against.key = keyOf(key);
  const copy = earlier === undefined ? null : await earlierCopy(earlier);
  if (copy !== null) against.earlier = copy.heads;
  const notes = checkpoints === undefined ? [] : notesOf(readFileSync(checkpoints, 'utf8'));
  if (checkpoints !== undefined && notes.length === 0) {
    throw new Unreadable(`${checkpoints}: there are no checkpoints in it`);
  }
  // The copy's checkpoint belongs before those that are larger.
  against.outside = [...(copy?.seals ?? []), ...notes];
  return against;
}

const USAGE =
  'Usage: audit-verify.mjs [--json] [--key KEY] [--checkpoints FILE] [--earlier COPY] [FILE]\n';

/** The options and at most one file, or null. */
function optionsOf(args) {
  const options = { json: false };
  const files = [];
  for (let at = 0; at < args.length; at += 1) {
    const [arg] = args.slice(at);
    if (arg === '--json') options.json = true;
    else if (['--key', '--checkpoints', '--earlier'].includes(arg) && args[at + 1]) {
      options[arg.slice(2)] = args[(at += 1)];
    } else if (arg.startsWith('-') && arg !== '-') return null;
    else files.push(arg);
  }
  return files.length > 1 ? null : { ...options, file: files[0] ?? '-' };
}

async function main(args) {
  const options = optionsOf(args);
  if (options === null) {
    process.stderr.write(USAGE);
    return 1;
  }
  try {
    const against = await againstOf(options);
    const chunks = options.file === '-' ? process.stdin : createReadStream(options.file);
    const result = { ...(await verifyStream(chunks, against)), compared: against.earlier?.size };
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : reportText(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    const { message } = error;
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, message })}\n`);
    process.stderr.write(`NOT VERIFIED. ${message}\n`);
    return 1;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
