import { z } from 'zod';
import { type ApiContext, found, idFrom, lineFor } from '../http/api-context.ts';
import { lineSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { lineView } from '../lines/line-routes.ts';
import { readLine, type StoredLine } from '../lines/line-store.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { canonicalJson } from '../platform/canonical-json.ts';
import { lawChoice, type LawChoice } from '../policy/layers.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import {
  addChange,
  addReport,
  lockAccountPolicy,
  newChange,
  readReport,
  saveLinePack,
  type PolicyReportId,
  type RuleChoice,
  type StoredReport,
} from './rulebook-store.ts';
import { reportView, type ReportView } from './rulebook-views.ts';
import { makeSwitchReport, type SwitchReport } from './switch-report.ts';

const reportBody = z.strictObject({
  lineId: z.string().optional().describe("Defaults to the account's only line."),
  policyPack: z.string().max(100).optional().describe('The pack to compare with.'),
  lawOverlays: lawChoice.optional().describe('As in PATCH /v1/policy.'),
  examples: z.int().min(0).max(100).default(10).describe('Examples of each kind.'),
});
const switchBody = z.strictObject({
  policyPack: z.string().max(100),
  reportId: z.string().describe('A report on this very switch, made within the last hour.'),
});

/** A report of a million contacts takes minutes; nobody should have to poll for it. */
const REPORT_TIMEOUT_MS = 3_600_000;
/** What was looked at longer ago is no longer what would happen. */
const REPORT_VALID_MS = 3_600_000;
const NEVER_MS = 253_402_300_799_999;
const tags = ['policy'];

export function registerSwitchRoutes(app: HttpServer, context: ApiContext): void {
  registerReport(app, context);
  registerSwitch(app, context);
}

function registerReport(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;
  /** One at a time for an account, because a report reads every contact. */
  const running = new Set<AccountId>();

  app.post(
    '/v1/policy/switch-report',
    {
      onRequest,
      handlerTimeout: REPORT_TIMEOUT_MS,
      schema: {
        tags,
        summary: 'What another pack or other laws would change, for whom; changes nothing',
        body: reportBody,
        response: { 200: reportView },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { lineId, policyPack, lawOverlays, examples } = request.body;
      refuseUnknownLaws(context.packs, lawOverlays);
      const before = await lineFor(context.database, accountId, lineId);
      const after = proposed(context, before, { policyPack, lawOverlays });
      if (running.has(accountId)) {
        throw refused('policy_report_running', 'Another report of this account is running.');
      }
      running.add(accountId);
      try {
        const question = {
          before,
          after,
          now: context.clock.now(),
          examplesMax: examples,
          isAbandoned: () => reply.raw.closed,
        };
        const result = await makeSwitchReport(context.database, context, question);
        if (result === null) throw new HttpError('malformed_request', 'The client went away.');
        return await keepReport(context, question, result);
      } finally {
        running.delete(accountId);
      }
    },
  );
}

function registerSwitch(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  app.post(
    '/v1/lines/:id/policy-pack',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags,
        summary: 'Put a line under another pack, after a report on what it changes',
        params: z.object({ id: z.string() }),
        body: switchBody,
        response: { 200: lineSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('line', request.params.id);
      const reportId = idFrom('policyReport', request.body.reportId);
      return database.transaction(async (tx) => {
        await lockAccountPolicy(tx, accountId);
        const line = found(await readLine(tx, accountId, id), 'line');
        const after = proposed(context, line, { policyPack: request.body.policyPack });
        const report = found(await readReport(tx, accountId, reportId), 'report');
        refuseOtherReport(report, { line, after, now: clock.now() });
        await saveLinePack(tx, accountId, id, after.policyPack);
        await addChange(tx, accountId, {
          ...newChange(context, keyId),
          kind: 'line_pack',
          lineId: id,
          before: choiceOf(line),
          after: choiceOf(after),
          reportId,
        });
        return lineView(after);
      });
    },
  );
}

/** A misspelt law would silently bind nobody. */
export function refuseUnknownLaws(packs: PolicyPacks, choice: LawChoice | undefined): void {
  if (!Array.isArray(choice)) return;
  const known = packs.laws().map(({ name }) => name);
  const unknown = choice.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new HttpError('invalid_request', `There is no law overlay named ${unknown.join(', ')}.`, {
    fields: [
      {
        field: 'lawOverlays',
        rule: 'names laws of this release',
        fix: `Known are: ${known.join(', ')}.`,
      },
    ],
  });
}

/** The line as it would be. */
function proposed(
  { packs }: ApiContext,
  line: StoredLine,
  wanted: {
    policyPack?: string | undefined;
    lawOverlays?: z.infer<typeof lawChoice> | undefined;
  },
): StoredLine {
  const { policyPack = line.policyPack, lawOverlays = line.accountPolicy.lawOverlays } = wanted;
  if (!packs.names().includes(policyPack)) {
    throw new HttpError('invalid_request', 'There is no policy pack of this name.', {
      fields: [
        {
          field: 'policyPack',
          rule: 'names a pack of this release',
          fix: `One of: ${packs.names().join(', ')}.`,
        },
      ],
    });
  }
  return { ...line, policyPack, accountPolicy: { ...line.accountPolicy, lawOverlays } };
}

/** A confirmation is worth something only if the report spoke of this switch, and lately. */
function refuseOtherReport(
  report: StoredReport,
  { line, after, now }: { line: StoredLine; after: StoredLine; now: number },
): void {
  const isSame =
    report.lineId === line.id &&
    canonicalJson(report.before) === canonicalJson(choiceOf(line)) &&
    canonicalJson(report.after) === canonicalJson(choiceOf(after));
  if (isSame && now < report.madeAt + REPORT_VALID_MS) return;
  const why = isSame ? 'The report is older than an hour.' : 'The report is of another switch.';
  throw refused('policy_report_needed', why);
}

function refused(
  code: 'policy_report_needed' | 'policy_report_running',
  message: string,
): RefusalError {
  const { fix = '', status = 409 } = RUN_FAILURES[code] ?? {};
  return new RefusalError({ code, message, fix }, status);
}

function choiceOf({ policyPack, accountPolicy }: StoredLine): RuleChoice {
  return { policyPack, lawOverlays: accountPolicy.lawOverlays };
}

async function keepReport(
  { database, ids }: ApiContext,
  { before, after, now }: { before: StoredLine; after: StoredLine; now: number },
  result: SwitchReport,
): Promise<ReportView> {
  const id: PolicyReportId = ids.next('policyReport');
  const rules = { before: choiceOf(before), after: choiceOf(after) };
  const stored = { id, lineId: before.id, ...rules, result, madeAt: now };
  await addReport(database, before.accountId, stored);
  const { permissions, calls, contacts, contactsChecked } = result;
  return {
    id,
    lineId: before.id,
    contactsChecked,
    contacts,
    before: rules.before as ReportView['before'],
    after: rules.after as ReportView['after'],
    madeAt: isoTime(now),
    validUntil: isoTime(now + REPORT_VALID_MS),
    permissions: {
      ...permissions,
      examples: permissions.examples.map(({ expiresAt, wouldExpireAt, ...ofWhom }) => ({
        ...ofWhom,
        expiresAt: expiresAt >= NEVER_MS ? null : isoTime(expiresAt),
        wouldExpireAt: isoTime(wouldExpireAt),
      })),
    },
    calls: {
      ...calls,
      examples: calls.examples.map(({ dueAt, ...rest }) => ({ ...rest, dueAt: isoTime(dueAt) })),
    },
  };
}
