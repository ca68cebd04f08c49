// The readable part of an evidence bundle, held against the ledger in the same bundle: what it says
// of requests, answers, permissions and calls must be what the chained entries say, no less and no
// more. Yields { place, said: [code, message] }.
const QUOTED = {
  answers: ['PermissionGranted', 'PermissionDeclined', 'PermissionRevoked', 'QuickReplyReceived'],
  refusals: ['PermissionRequestRefused', 'CallBlocked'],
  optOuts: [
    'OptedOut',
    'OptOutPending',
    'OptOutPendingCleared',
    'OptOutUnclear',
    'OptOutLate',
    'OptOutLifted',
    'OptOutRepeated',
    'DoNotCallAdded',
    'DoNotCallRemoved',
  ],
};

const time = (ms) => (typeof ms === 'number' ? new Date(ms).toISOString() : null);
const requestIn = (data) =>
  data.requestId ?? data.request?.requestId ?? data.permission?.requestId ?? null;
const permissionIn = (data) => data.permissionId ?? data.permission?.permissionId ?? null;
const callIn = (data) => data.callId ?? null;

export function* rowProblems(bundle, canonical) {
  const { ledger } = bundle;
  for (const [list, types] of Object.entries(QUOTED)) {
    const wanted = ledger.filter(({ type }) => types.includes(type));
    yield* compare(list, bundle[list], wanted.map(quote), canonical);
  }
  const requests = rowsOf(ledger, requestIn, 'PermissionRequested', requestRow);
  const permissions = rowsOf(ledger, permissionIn, 'PermissionGranted', permissionRow);
  const calls = rowsOf(ledger, callIn, 'CallRequested', (...row) => callRow(...row, ledger));
  yield* compare('requests', bundle.requests, requests, canonical);
  yield* compare('permissions', bundle.permissions, permissions, canonical);
  yield* compare('calls', bundle.calls, calls, canonical);
  yield* callsWithoutYes(ledger);
}

function quote({ sequence, type, actor, at, data, personal, erased }) {
  return { sequence, type, actor, at, data, personal, erased };
}

/** Rows and what the ledger says of them, in the same order; only the ledger's fields count. */
function* compare(list, rows, wanted, canonical) {
  if (!Array.isArray(rows) || rows.length !== wanted.length) {
    const message = `${rows?.length ?? 'no'} ${list}, but the ledger tells of ${wanted.length}`;
    yield { place: list, said: ['rows_differ', message] };
    return;
  }
  for (const [index, fields] of wanted.entries()) {
    for (const [name, value] of Object.entries(fields)) {
      const found = name.split('.').reduce((at, step) => at?.[step], rows[index]);
      if (found !== undefined && canonical(found) === canonical(value)) continue;
      const message = `the ledger says ${canonical(value)}`;
      yield { place: `${list}[${index}].${name}`, said: ['rows_differ', message] };
    }
  }
}

/** One row per thing whose first entry is of that type, in the order of the ids. */
function rowsOf(ledger, idIn, firstType, row) {
  const things = new Map();
  for (const entry of ledger) {
    const id = idIn(entry.data);
    if (id !== null) things.set(id, [...(things.get(id) ?? []), entry]);
  }
  return [...things]
    .filter(([, entries]) => entries.some(({ type }) => type === firstType))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, entries]) => {
      const of = (...types) => entries.findLast(({ type }) => types.includes(type));
      return { id, ledger: entries.map(({ sequence }) => sequence), ...row(of, id) };
    });
}

/** The words of an entry, each null where there are none or the person was erased. */
function wordsOf(entry) {
  const { purpose = null, text = null, messageId = null } = entry?.personal ?? {};
  return { purpose, text, messageId };
}

function requestRow(of) {
  const { at, data, ...asked } = of('PermissionRequested');
  const { template, language, promisedAt, packName } = data.request;
  const { purpose, text } = wordsOf(asked);
  return {
    lineId: data.lineId,
    purpose,
    template,
    language,
    text,
    policyPack: packName,
    promisedAt: time(promisedAt),
    createdAt: at,
    answeredAt: of('PermissionGranted', 'PermissionDeclined')?.at ?? null,
    sentAt: of('PermissionRequestSent')?.at ?? null,
    deliveredAt: of('PermissionRequestDelivered')?.at ?? null,
    readAt: of('PermissionRequestRead')?.at ?? null,
    messageId: wordsOf(of('PermissionRequestSent')).messageId,
  };
}

function permissionRow(of) {
  const { data, ...granted } = of('PermissionGranted');
  const { lineId, permission } = data;
  const { requestId, kind, source, grantedAt, expiresAt } = permission;
  const { purpose, messageId } = wordsOf(granted);
  const use = of('PermissionUsed', 'PermissionReleased');
  const used = use?.type === 'PermissionUsed' ? use : undefined;
  const revoked = of('PermissionRevoked');
  return {
    lineId,
    requestId,
    purpose,
    kind,
    source,
    messageId,
    grantedAt: time(grantedAt),
    expiresAt: time(expiresAt),
    usedAt: used?.at ?? null,
    usedByCallId: used?.data.callId ?? null,
    revokedAt: revoked?.at ?? null,
    revokedBy: revoked?.data.by ?? null,
  };
}

function callRow(of, callId, ledger) {
  const { at: requestedAt, data, ...asked } = of('CallRequested');
  const { purpose } = wordsOf(asked);
  const permissionId = of('CallDialing')?.data.permissionId ?? null;
  const granted = ledger.find(
    ({ type, data: it }) => type === 'PermissionGranted' && permissionIn(it) === permissionId,
  );
  const end = of('CallEnded');
  const row = { lineId: data.lineId, purpose, requestedAt, permissionId };
  const told = { policyPack: of('CallDialing')?.data.policyPack ?? null };
  const basis = {
    grantedIn: granted?.sequence ?? null,
    usedIn: of(...USES)?.sequence ?? null,
  };
  if (end === undefined) return { ...row, ...told, ...basis, cdr: null };
  const { outcome, reason: endReason } = end.data;
  const ended = { outcome, endReason, endedAt: end.at, permissionId, purpose };
  const record = Object.entries({ callId, requestedAt, ...told, ...ended });
  const cdr = Object.fromEntries(record.map(([name, value]) => [`cdr.${name}`, value]));
  return { ...row, ...told, ...basis, ...ended, ...cdr };
}

const USES = new Set(['PermissionUsed', 'PermissionPartlyUsed']);

/** The promise itself: each dial stands behind a yes that was alive, unused, and used for it. */
function* callsWithoutYes(ledger) {
  const live = new Map();
  const used = new Map();
  const spent = new Set();
  for (const { sequence, type, at, data } of ledger) {
    const id = permissionIn(data);
    if (type === 'PermissionGranted') live.set(id, data.permission.expiresAt);
    if (type === 'PermissionRevoked' || type === 'PermissionExpired') live.delete(id);
    if (type === 'PermissionReleased') {
      used.delete(id);
      spent.delete(id);
    }
    if (USES.has(type) && !spent.has(id) && Date.parse(at) < live.get(id)) {
      used.set(id, data.callId);
      // All but the last of several calls on one yes leave it alive.
      if (type === 'PermissionUsed') spent.add(id);
    }
    if (type === 'CallDialing' && used.get(id) !== data.callId) {
      const message = `call ${data.callId} was dialled without a live yes of its own`;
      yield { place: `entry ${sequence}`, said: ['no_yes', message] };
    }
  }
}
