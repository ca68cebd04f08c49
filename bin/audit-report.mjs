// What a verification found, and what it could not show.
const SHOWN_MAX = 20;
const BUNDLE_LIMIT =
  'That nothing is missing at its end, only an export of all or an earlier copy shows. ';
const FILE_LIMIT =
  'Whoever holds the signing key could write another history and sign it: hold the file against ' +
  'checkpoints that were kept elsewhere (--checkpoints) or an earlier copy (--earlier). ';
const ALWAYS = 'Numbers and the measured values of CDRs are not in the ledger.';

export function newResult(format, isWhole) {
  const limits = `${isWhole ? '' : BUNDLE_LIMIT}${FILE_LIMIT}${ALWAYS}`;
  return { ok: true, format, contacts: 0, entries: 0, found: 0, problems: [], limits };
}

export function add(result, problem) {
  result.ok = false;
  result.found += 1;
  // One cut can break every later line; nobody reads a million of them.
  if (result.problems.length < SHOWN_MAX) result.problems.push(problem);
}

export function reportText(result) {
  const { ok, contacts, entries, problems, found, limits, compared } = result;
  const lines = problems.map(({ place, contactId, sequence, message }) => {
    const entry = sequence === null ? '' : `, entry ${sequence}`;
    const whose = contactId === '' ? '' : ` (${contactId}${entry})`;
    return `✗ ${place}${whose}: ${message}`;
  });
  if (found > problems.length) lines.push(`… and ${found - problems.length} more`);
  const count =
    contacts === 0
      ? 'the proof'
      : `${entries} entries of ${contacts} ${contacts === 1 ? 'contact' : 'contacts'}`;
  lines.push(ok ? `VERIFIED ${count}.` : `NOT VERIFIED: ${found} faults in ${count}.`);
  if (result.after) lines.push(`It is a part: contacts behind ${result.after}.`);
  lines.push(...checkpointLines(result));
  if (ok && compared !== undefined) {
    lines.push(`All that the earlier copy tells of its ${compared} contacts is still there.`);
  }
  lines.push(limits, '');
  return lines.join('\n');
}

function checkpointLines({ ok, checkpoint, entries, outside }) {
  if (checkpoint === undefined || checkpoint === null) return ['No checkpoint covers it.'];
  if (!ok) return [];
  const { size, time, covered, key, isKeyGiven } = checkpoint;
  const lines = [
    `Signed checkpoint of ${time} over ${size} entries; ${covered} of these under it.`,
  ];
  if (entries > covered) lines.push(`${entries - covered} came later and are only chained.`);
  const word = isKeyGiven ? 'the key that you gave' : 'NOT compared with a key of yours (--key)';
  lines.push(`Signed by ${key}: ${word}.`);
  if (outside > 0) lines.push(`It agrees with ${outside} checkpoints that were kept elsewhere.`);
  return lines;
}
