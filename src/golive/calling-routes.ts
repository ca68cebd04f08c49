import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import type { accountOf } from '../http/auth.ts';
import { lineSchema } from '../http/api-schemas.ts';
import type { HttpServer } from '../http/server.ts';
import { lineView } from '../lines/line-routes.ts';
import { openLine, saveKeyExchange, type StoredLine } from '../lines/line-store.ts';
import { KEY_EXCHANGES } from '../media/media.ts';
import { isoTime } from '../platform/clock.ts';
import { zoneExists } from '../policy/hours/zone-time.ts';
import type { CallHours, CallingSettings } from '../whatsapp/whatsapp.ts';
import type { GoLivePorts } from './golive-facts.ts';

export type LineOf = (
  request: Parameters<typeof accountOf>[0] & { params: { id: string } },
) => Promise<StoredLine>;

const params = z.object({ id: z.string() });

/** Meta takes no more of either ("Configure call settings", call_hours). */
const SPANS_A_DAY_MAX = 2;
const CLOSED_MAX = 20;

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is a time such as 09:30');
const hoursShape = z.strictObject({
  zone: z.string().max(60).refine(zoneExists, 'is an IANA time zone, such as Europe/Berlin'),
  open: z
    .array(
      z
        .strictObject({
          days: z.array(z.int().min(1).max(7)).min(1).max(7).describe('1 is Monday, 7 Sunday.'),
          from: clockTime,
          to: clockTime,
        })
        .refine(({ from, to }) => from < to, 'ends after it begins, on the same day'),
    )
    .min(1)
    .max(14)
    .refine(isTakenByMeta, `has at most ${SPANS_A_DAY_MAX} spans a day, which do not overlap`),
  closed: z
    .array(z.iso.date('is a date such as 2026-12-24'))
    .max(CLOSED_MAX)
    .default([])
    .describe('Whole days without calls.'),
});

const callingBody = z
  .strictObject({
    enabled: z.boolean().optional().describe('Calls of both directions.'),
    callback: z
      .boolean()
      .optional()
      .describe('Whoever calls the number may be called back, without being asked.'),
    hours: hoursShape
      .nullable()
      .optional()
      .describe('When customers may call; null: at any time. It limits no call to them.'),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'names a setting');

const callingSchema = z.object({
  enabled: z.boolean(),
  callback: z.boolean(),
  hours: z
    .object({
      zone: z.string(),
      open: z.array(z.object({ days: z.array(z.number()), from: z.string(), to: z.string() })),
      closed: z.array(z.string()),
    })
    .nullable(),
  sipEnabled: z.boolean().describe('True: Meta refuses calls through the Graph API.'),
  keyExchange: z.enum(KEY_EXCHANGES).describe('At Meta; the line has its own, which must agree.'),
  restrictions: z.array(
    z.object({ type: z.string(), reason: z.string().nullable(), until: z.string().nullable() }),
  ),
});

/** What Meta lets a number do with calls: looked at, and changed there at once. */
export function registerCallingRoutes(
  app: HttpServer,
  context: ApiContext & GoLivePorts,
  lineOf: LineOf,
): void {
  const { whatsapp } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['lines'];
  const response = { 200: callingSchema };

  app.get(
    '/v1/lines/:id/calling',
    {
      onRequest,
      schema: { tags, summary: 'The call settings that Meta has now', params, response },
    },
    async (request) => {
      const { access } = openLine(await lineOf(request), context.sealer);
      return viewOf(await whatsapp.readSettings(access));
    },
  );

  app.post(
    '/v1/lines/:id/calling',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Change call settings at Meta; what is left out stays',
        params,
        body: callingBody,
        response,
      },
    },
    async (request) => {
      const { access } = openLine(await lineOf(request), context.sealer);
      await whatsapp.updateCalling(access, request.body);
      return viewOf(await whatsapp.readSettings(access));
    },
  );
  registerKeyExchange(app, context, lineOf);
}

/** Meta first: what it refuses leaves the line as it is, so that both still agree. */
function registerKeyExchange(
  app: HttpServer,
  context: ApiContext & GoLivePorts,
  lineOf: LineOf,
): void {
  const keyExchange = z.enum(KEY_EXCHANGES);
  app.post(
    '/v1/lines/:id/key-exchange',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['lines'],
        summary: 'Set how keys toward WhatsApp are exchanged, at Meta and here; for calls from now',
        params,
        body: z.strictObject({ keyExchange }),
        response: { 200: lineSchema },
      },
    },
    async (request) => {
      const line = await lineOf(request);
      const { access } = openLine(line, context.sealer);
      await context.whatsapp.updateCalling(access, request.body);
      await saveKeyExchange(context.database, line.accountId, line.id, request.body.keyExchange);
      return lineView({ ...line, ...request.body });
    },
  );
}

function viewOf(settings: CallingSettings): z.infer<typeof callingSchema> {
  const { hours, restrictions, ...rest } = settings;
  return {
    ...rest,
    hours:
      hours === null
        ? null
        : { ...hours, open: hours.open.map(spanView), closed: [...hours.closed] },
    restrictions: restrictions.map(({ type, reason = null, expiresAt }) => ({
      type,
      reason,
      until: expiresAt === null ? null : isoTime(expiresAt),
    })),
  };
}

function spanView({ days, from, to }: CallHours['open'][number]) {
  return { days: [...days], from, to };
}

/** Told here by field: Meta's own answer names neither the day nor the rule. */
function isTakenByMeta(open: CallHours['open']): boolean {
  return [1, 2, 3, 4, 5, 6, 7].every((day) => {
    const spans = open
      .filter(({ days }) => days.includes(day))
      .toSorted((a, b) => a.from.localeCompare(b.from));
    const isApart = spans.every(({ to }, at) => to <= (spans[at + 1]?.from ?? '24:00'));
    return spans.length <= SPANS_A_DAY_MAX && isApart;
  });
}
